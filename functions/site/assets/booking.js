// One booking: when it is, its receipt to keep, and how to move or cancel it, with what that costs said first.

import { call, newKey } from "./api.js";
import { refund } from "./outcome.js";
import { bill, confirm, facts, field, options, printed, timeline } from "./parts.js";
import { here } from "./place.js";
import { signedIn, signIn } from "./signin.js";
import { busy, clock, day, el, failed, money, note, say, show, when, written } from "./ui.js";
import { sentence, t } from "./words.js";

const place = document.getElementById("booking");
const path = `/api/booking/bookings/${encodeURIComponent(here()[1])}`;

const STEPS = {
  CONFIRMED: sentence("Confirmed."),
  COMPLETED: sentence("It has taken place."),
  CANCELLED: sentence("Cancelled."),
};

/** The booking, and what cancelling it gives back now. */
const read = () => call("GET", `${path}?cancellation=true`);

async function start() {
  if (!signedIn()) return signIn();
  try {
    const booking = await read();
    draw(booking, await call("GET", `/api/payments/${booking.payment_id}`));
  } catch (error) {
    failed(place, error, start);
  }
  return undefined;
}

function draw(booking, payment) {
  const { timezone: zone, currency } = booking;
  const open = booking.status === "CONFIRMED";
  show(
    place,
    note(
      STEPS[booking.status] ? t(STEPS[booking.status]) : booking.status,
      open || booking.status === "COMPLETED" ? "good" : "warn",
    ),
    refund(payment.refund, currency),
    el(
      "section",
      { class: "panel" },
      el("h2", {}, booking.service_name),
      el("p", { class: "amount" }, day(booking.selected_date)),
      el("p", {}, `${clock(booking.selected_time)} (${zone})`),
      facts([
        [t("Name"), booking.customer_name],
        [t("Phone number"), booking.phone_number],
        [t("Where it takes place"), written(booking.address)],
      ]),
      open &&
        el(
          "div",
          { class: "row noprint" },
          el("button", { type: "button", onclick: () => move(booking) }, t("Move")),
          booking.cancellation &&
            el("button", { class: "bad", type: "button", onclick: (event) => cancel(event.target) }, t("Cancel")),
        ),
    ),
    el(
      "section",
      { class: "panel" },
      el("div", { class: "row end" }, el("h2", {}, t("Receipt")), printed()),
      facts([
        [t("Booking"), booking.book_id],
        [t("Payment"), payment.transaction_id],
        [t("Paid on"), when(booking.created_at, zone)],
      ]),
      bill(
        [
          [booking.package_name ?? booking.service_name, booking.total_amount],
          [t("Paid"), booking.total_amount],
        ],
        currency,
      ),
    ),
    el(
      "section",
      { class: "panel" },
      el("h2", {}, t("What has happened")),
      timeline(booking.timeline.map((step) => [words(step), when(step.at, zone)])),
    ),
  );
}

function words(step) {
  if (step.moved_to) {
    return t("Moved to {day}, {time}", {
      day: day(step.moved_to.selected_date),
      time: clock(step.moved_to.selected_time),
    });
  }
  return t(STEPS[step.status] ?? step.status);
}

/** Cancelling says what goes back, by the rule as it is now, before it asks. */
async function cancel(button) {
  const booking = await busy(button, read());
  if (!booking) return undefined;
  if (!booking.cancellation) return start();
  const back = booking.cancellation.refund;
  const sentence =
    Number(back) > 0
      ? t("You get {amount} back of {paid}. This cannot be undone.", {
          amount: money(back, booking.currency),
          paid: money(booking.total_amount, booking.currency),
        })
      : t("You get nothing back, since it is too late for that. This cannot be undone.");
  const reason = await confirm(t("Cancel the booking?"), sentence, t("Cancel the booking"));
  if (reason === null) return undefined;
  const body = { ...(reason && { reason }), refund: back };
  const told = await busy(button, call("POST", `${path}/cancel`, body, { key: newKey() }));
  if (!told) return undefined;
  say(t("Cancelled."));
  return start();
}

/** Another day and time, in a dialog; no money moves. */
async function move(booking) {
  const service = `/api/services/${booking.service_id}`;
  const date = el("input", {
    type: "date",
    name: "selected_date",
    required: true,
    value: booking.selected_date,
    onchange: () => free(),
  });
  const where = el("div", {});
  const go = el("button", { class: "main" }, t("Move"));
  const form = el(
    "form",
    { onsubmit: (event) => send(event, go, dialog) },
    el("h2", {}, t("Move the booking")),
    el("p", {}, t("Moving costs nothing. What you would get back for cancelling does not become more by it.")),
    field(t("Day"), date),
    where,
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, t("Back")), go),
  );
  const dialog = el("dialog", { "aria-label": t("Move the booking"), onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();

  async function free() {
    const asked = date.value;
    go.disabled = true;
    if (!asked) return show(where); // while a date is typed, which the field says itself
    where.setAttribute("aria-busy", "true");
    let found;
    try {
      found = await call("GET", `${service}/slots?date=${asked}&service_type=${booking.service_type}`);
    } catch (error) {
      return asked === date.value && failed(where, error, free);
    }
    if (asked !== date.value) return undefined;
    const times = found.slots.filter((slot) => slot.free > 0).map((slot) => [slot.time.slice(0, 5), clock(slot.time)]);
    if (found.any_time)
      show(
        where,
        field(
          t("Time"),
          el("input", {
            type: "time",
            name: "selected_time",
            required: true,
            value: booking.selected_time.slice(0, 5),
          }),
        ),
      );
    else if (times.length)
      show(where, field(t("Time"), el("select", { name: "selected_time", required: true }, options(times))));
    else show(where, note(t("Nothing is free on this day. Please choose another."), "warn"));
    go.disabled = !found.any_time && !times.length;
    return undefined;
  }
  await free();
}

async function send(event, button, dialog) {
  event.preventDefault();
  const wanted = Object.fromEntries(new FormData(event.target));
  const told = await busy(button, call("POST", `${path}/reschedule`, wanted, { key: newKey() }));
  if (!told) return;
  dialog.close();
  say(t("Moved."));
  start();
}

await start();
