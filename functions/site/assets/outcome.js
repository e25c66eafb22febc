// What came of a payment, in one sentence, and what to do next.

import { link } from "./place.js";
import { el, money, note } from "./ui.js";
import { sentence, t } from "./words.js";

/** Whether `session_status` does not change by itself any more. */
export const isFinal = (status) => ["order_created", "failed", "expired"].includes(status);

/** What to show of the session's `status` answer once it is final; `again` are what another try is made with. */
export function outcome(status, currency, again) {
  switch (status.session_status) {
    case "order_created":
      return bought(status, currency);
    case "failed":
      return [
        note(t(status.failure?.message ?? sentence("The payment was not completed. You can try again.")), "bad"),
        refund(status.refund, currency),
        ...(status.failure?.retryable === false ? [shop()] : again),
      ];
    default:
      return [
        note(
          t(
            "The time to pay is over. Your basket is still there. If you paid at the last moment, it counts or comes back by itself.",
          ),
          "warn",
        ),
        refund(status.refund, currency),
        shop(),
      ];
  }
}

function bought(status, currency) {
  const { order, booking } = status;
  const cancelled = (order?.order_status ?? booking?.status)?.toLowerCase() === "cancelled";
  const sentence = order
    ? t("Paid. Your order {number} is confirmed.", { number: order.order_number })
    : t("Paid. Your booking {number} is confirmed.", { number: booking.book_id });
  const where = order ? `/orders/${order.order_number}` : `/bookings/${booking.book_id}`;
  return [
    cancelled ? note(t("This was paid, and cancelled since."), "warn") : note(sentence, "good"),
    refund(status.refund, currency),
    el(
      "p",
      {},
      el(
        "a",
        { class: "button main", href: link(where) },
        order ? t("See your order and its receipt") : t("See your booking and its receipt"),
      ),
    ),
  ];
}

/** How a refund stands, or nothing. */
export function refund(told, currency) {
  return told ? note(`${money(told.amount, currency)}: ${t(told.message)}`) : null;
}

const shop = () => el("p", {}, el("a", { class: "button main", href: link("/shop") }, t("To the shop")));
