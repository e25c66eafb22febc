// One order: how far it is, its receipt to keep, and how to cancel it while that is possible.

import { call, newKey } from "./api.js";
import { refund } from "./outcome.js";
import { bill, confirm, facts, printed, timeline } from "./parts.js";
import { here } from "./place.js";
import { signedIn, signIn } from "./signin.js";
import { busy, day, el, failed, money, note, number, say, show, when } from "./ui.js";
import { sentence, t } from "./words.js";

const place = document.getElementById("order");
const path = `/api/orders/${encodeURIComponent(here()[1])}`;
const ZONE = "Africa/Nairobi"; // where produce is delivered

const STEPS = {
  confirmed: sentence("Confirmed: the shop packs it next."),
  packed: sentence("Packed: the rider takes it next."),
  out_for_delivery: sentence("On its way to you."),
  delivered: sentence("Delivered."),
  cancelled: sentence("Cancelled."),
};
const PARTS = {
  morning: sentence("Morning"),
  afternoon: sentence("Afternoon"),
  evening: sentence("Evening"),
  anytime: sentence("Any time"),
};

async function start() {
  if (!signedIn()) return signIn();
  try {
    const order = await call("GET", path);
    draw(order, await names(order.delivery_details));
  } catch (error) {
    failed(place, error, start);
  }
  return undefined;
}

/** The names of county and sub-county. */
async function names({ county_id: county, subcounty_id: subcounty }) {
  try {
    const [counties, subcounties] = await Promise.all([
      call("GET", "/api/locations/counties"),
      call("GET", `/api/locations/counties/${county}/subcounties`),
    ]);
    return [subcounties, counties].map(
      (list, at) => list.results.find((each) => each.id === [subcounty, county][at])?.name,
    );
  } catch {
    return []; // the rest of the order is worth showing without them
  }
}

function draw(order, places) {
  const to = order.delivery_details;
  const status = STEPS[order.order_status];
  show(
    place,
    note(status ? t(status) : order.order_status, order.order_status === "cancelled" ? "warn" : "good"),
    refund(order.refund, order.currency),
    el(
      "section",
      { class: "panel" },
      el("div", { class: "row end" }, el("h2", {}, t("Receipt")), printed()),
      facts([
        [t("Order"), order.order_number],
        [t("Paid on"), when(order.created_at, ZONE)],
        [t("M-Pesa receipt"), order.receipt],
      ]),
      bill(rows(order), order.currency),
    ),
    el(
      "section",
      { class: "panel" },
      el("h2", {}, t("Delivery")),
      facts([
        [t("For"), to.full_name],
        [t("Phone number"), to.phone_number],
        [t("Where to"), [to.detailed_address, ...places].filter(Boolean).join(", ")],
        [t("Day"), to.estimated_delivery_date && day(to.estimated_delivery_date)],
        [t("Time of day"), to.delivery_time_slot && t(PARTS[to.delivery_time_slot] ?? to.delivery_time_slot)],
        [t("For the rider"), to.special_instructions],
      ]),
      timeline(order.timeline.map((step) => [t(STEPS[step.status] ?? step.status), when(step.at, ZONE)])),
    ),
    order.order_status === "confirmed" &&
      el(
        "p",
        { class: "noprint" },
        el(
          "button",
          { class: "bad", type: "button", onclick: (event) => cancel(event.target) },
          t("Cancel the order"),
        ),
      ),
  );
}

function rows(order) {
  return [
    ...order.items.map((line) => [
      `${line.product_name}, ${number(line.quantity)} ${line.unit_of_measure} × ${money(line.price, order.currency)}`,
      line.subtotal,
    ]),
    order.discount && [t("Code {code}", { code: order.promo_code }), -order.discount],
    [t("Delivery"), order.delivery_fee],
    order.rounding && [t("Rounding"), order.rounding],
    [t("Paid"), order.total_amount],
  ].filter(Boolean);
}

/** It was packed since, which the page shows; or its shop does not let customers cancel. */
function notCancellable(button, { order_status: status, cancellation }) {
  if (status !== "confirmed" || cancellation === undefined) return start(); // an API of the release before does not say
  button.replaceWith(note(t("This shop cancels orders itself; please call the shop."), "warn"));
  return undefined;
}

/** Cancelling says what is left to give back, as the payment stands now, before it asks. */
async function cancel(button) {
  const order = await busy(button, call("GET", `${path}?cancellation=true`));
  if (!order) return undefined;
  if (!order.cancellation) return notCancellable(button, order);
  const back = order.cancellation.refund;
  const says =
    Number(back) > 0
      ? t("You get {amount} back. This cannot be undone.", { amount: money(back, order.currency) })
      : t("What you paid has gone back or is on its way. This cannot be undone.");
  const reason = await confirm(t("Cancel the order?"), says, t("Cancel the order"));
  if (reason === null) return undefined;
  const body = { ...(reason && { reason }), refund: back };
  const told = await busy(button, call("POST", `${path}/cancel`, body, { key: newKey() }));
  if (!told) return undefined;
  say(t("Cancelled."));
  return start();
}

document.addEventListener(
  "visibilitychange",
  () => document.visibilityState === "visible" && !document.querySelector("dialog") && start(),
);

await start();
