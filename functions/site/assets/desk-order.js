// One order as those see it who pack and deliver it, with its next step.

import {
  ask,
  badge,
  button,
  CHANGED,
  facts,
  paymentPage,
  phone,
  read,
  replaceCard,
  send,
  step,
  told,
  unlessChanged,
  why,
} from "./desk.js";
import { orderWord, paymentWord, refundWord } from "./desk-words.js";
import { link } from "./place.js";
import { busy, day, el, money } from "./ui.js";
import { t } from "./words.js";

const NEXT = {
  confirmed: ["packed", t("Packed")],
  packed: ["out_for_delivery", t("Out for delivery")],
  out_for_delivery: ["delivered", t("Delivered")],
};

const PAID_FOR = ["paid", "partially_refunded"]; // what went back, or is on its way, keeps its steps

const SLOTS = {
  morning: t("in the morning"),
  afternoon: t("in the afternoon"),
  evening: t("in the evening"),
  anytime: t("at any time"),
};

export const quantity = (line) => `${line.quantity} ${line.unit_of_measure}`;
export const place = (order) =>
  [order.delivery_details.detailed_address, order.subcounty, order.county].filter(Boolean).join(", ");
export const slot = ({ delivery_details: to }) =>
  [
    to.estimated_delivery_date && day(to.estimated_delivery_date, { dateStyle: "medium" }),
    SLOTS[to.delivery_time_slot] ?? to.delivery_time_slot,
  ]
    .filter(Boolean)
    .join(", ");

/** The amounts of a payment: what was paid, its receipt, and what of it goes or went back. */
export function paid(order) {
  const shown = [el("strong", { class: "number" }, money(order.total_amount, order.currency))];
  if (order.payment_status !== "paid") shown.push(" ", badge(paymentWord(order.payment_status), "warn"));
  if (order.refund) shown.push(` ${money(order.refund.amount, order.currency)}: ${refundWord(order.refund.status)}`);
  return shown;
}

/** A card of an order; what its steps make of it is shown in its place. */
export function orderCard(order) {
  const to = order.delivery_details;
  return el(
    "article",
    { class: "card", "aria-label": order.order_number, "data-of": order.order_number },
    el(
      "div",
      { class: "body" },
      el(
        "h3",
        { class: "row end" },
        el("a", { href: paymentPage(order.order_number) }, order.order_number),
        badge(orderWord(order.order_status), order.order_status),
      ),
      el("p", {}, to.full_name, " ", phone(to.phone_number)),
      el("p", {}, place(order)),
      slot(order) && el("p", {}, slot(order)),
      to.special_instructions && el("p", { class: "note" }, to.special_instructions),
      el(
        "ul",
        { class: "lines" },
        order.items.map((line) =>
          el(
            "li",
            {},
            el("strong", {}, quantity(line)),
            ` ${line.product_name}`,
            el("span", { class: "soft" }, ` ${line.farm_name}`),
          ),
        ),
      ),
      facts([t("Paid"), paid(order)], [t("Receipt"), order.receipt && el("span", { class: "mono" }, order.receipt)]),
      steps(order),
    ),
  );
}

const moved = (order) => replaceCard(orderCard(order));

function steps(order) {
  const number = order.order_number;
  const made = el("div", { class: "steps noprint" });
  const more = el("p", { class: "row" }, el("a", { class: "button", href: link(`/desk/slips?order=${number}`) }, t("Slip")));
  if (order.order_status in NEXT) {
    const [status, label] = NEXT[order.order_status];
    made.append(
      step(
        label,
        () => move(order, status),
        ({ order_status: reached }) => stands(order, reached),
        "main wide",
      ),
    );
    more.append(button(t("Cancel…"), (event) => cancel(order, event.currentTarget), "bad"));
  }
  if (["packed", "out_for_delivery", "delivered"].includes(order.order_status) && PAID_FOR.includes(order.payment_status)) {
    const words = `${t("Undo")}: ${orderWord(order.order_status)}`;
    more.append(step(words, () => undo(order), ({ order_status: now }) => stands(order, now), ""));
  }
  made.append(more);
  return made;
}

const again = (order) => read(`/orders/${order.order_number}/`);

/** Say and show where the order stands now. */
function stands(order, now) {
  told(t("{order} is {status}.", { order: order.order_number, status: orderWord(now) }));
  moved({ ...order, order_status: now });
}

/** The next step. */
const move = (order, status) => unlessMoved(order, send(`/orders/${order.order_number}/move/`, { status }));

/** The last step, taken back: it was taken by mistake. */
const undo = (order) => unlessMoved(order, send(`/orders/${order.order_number}/undo/`, { step: order.order_status }));

/** What `sent` answers; where somebody else was faster, the order is shown as it is now. */
async function unlessMoved(order, sent) {
  try {
    return await sent;
  } catch (error) {
    if (error.code !== "ORDER_NOT_MOVABLE") throw error;
    moved(await again(order));
    told(error.message);
    return null;
  }
}

/** Cancelling says what goes back, as the payment stands now, before it asks; and asks again, with what was `given`, if that changed. */
async function cancel(order, pressed, given = null) {
  const number = order.order_number;
  const now = await busy(pressed, again(order));
  if (!now) return;
  if (!now.cancellation) {
    stands(now, now.order_status);
    return;
  }
  const back = now.cancellation.refund;
  const amount = Number(back) > 0 && money(back, order.currency);
  const answer = await ask({
    title: t("Cancel {order}?", { order: number }),
    says: [
      given && el("strong", {}, CHANGED),
      amount
        ? t("{amount} goes back to {name}.", { amount, name: order.delivery_details.full_name })
        : t("Nothing more goes back: what was paid went back before, or is on its way."),
      t("What was ordered is for sale again. This cannot be taken back, and the customer is told."),
    ],
    fields: [why(given?.why)],
    agree: amount ? t("Cancel, and give back {amount}", { amount }) : t("Cancel the order"),
    act: (values, key) => {
      given = values;
      return unlessChanged(send(`/orders/${number}/move/`, { status: "cancelled", why: values.why, refund: back }, key));
    },
    bad: true,
  });
  if (!answer) return;
  if (answer.changed) return cancel(order, pressed, given);
  const gone = answer.refund ? money(answer.refund.amount, answer.refund.currency) : "";
  told(
    gone
      ? t("{order} is cancelled; {amount} goes back.", { order: number, amount: gone })
      : t("{order} is cancelled.", { order: number }),
  );
  moved(await again(order));
}
