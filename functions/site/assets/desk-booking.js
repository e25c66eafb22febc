// One booking as those see it who keep it: who comes, for what, when and where; and what can be done with it.

import { call, now } from "./api.js";
import {
  ask,
  badge,
  button,
  CHANGED,
  facts,
  field,
  paymentPage,
  phone,
  read,
  replaceCard,
  send,
  soft,
  step,
  told,
  unlessChanged,
  why,
} from "./desk.js";
import { bookingWord } from "./desk-words.js";
import { busy, clock, day, el, money, show, written } from "./ui.js";
import { t } from "./words.js";

const CLOCK = { dateStyle: "short", timeStyle: "medium" };
/** Whether it has begun, by the clock of its service. */
const hasBegun = (booking) =>
  `${booking.selected_date} ${booking.selected_time}` <=
  new Intl.DateTimeFormat("sv", { ...CLOCK, timeZone: booking.timezone }).format(now());
export const what = (booking) => [booking.service_name, booking.package_name].filter(Boolean).join(", ");
const starts = (booking) => `${day(booking.selected_date, { dateStyle: "medium" })}, ${clock(booking.selected_time)}`;

/** A card of a booking; what is made of it is shown in its place. */
export function bookingCard(booking) {
  return el(
    "article",
    { class: "card", "aria-label": booking.book_id, "data-of": booking.book_id },
    el(
      "div",
      { class: "body" },
      el("h3", { class: "row end" }, el("span", {}, starts(booking)), badge(bookingWord(booking.status), booking.status)),
      el("p", {}, el("strong", {}, what(booking))),
      el("p", {}, booking.customer_name ?? booking.user.email ?? "", " ", phone(booking.phone_number)),
      booking.address && el("p", {}, written(booking.address)),
      facts(
        [t("Booking"), el("a", { href: paymentPage(booking.book_id) }, booking.book_id)],
        [t("Paid"), el("strong", { class: "number" }, money(booking.total_amount, booking.currency))],
        [t("Goes back"), booking.refund && money(booking.refund.amount, booking.currency)],
        [t("Receipt"), booking.receipt && el("span", { class: "mono" }, booking.receipt)],
        [t("Clock of"), booking.timezone],
      ),
      booking.status === "CONFIRMED" && steps(booking),
    ),
  );
}

/** Show the booking as it is now. */
const again = async (booking) => replaceCard(bookingCard(await read(path(booking))));

const path = (booking, verb = "") => `/bookings/${booking.book_id}/${verb}`;

function steps(booking) {
  const kept =
    hasBegun(booking) &&
    step(
      t("Took place"),
      () => send(path(booking, "complete/")),
      () => {
        told(t("{booking} took place.", { booking: booking.book_id }));
        again(booking);
      },
      "main wide",
    );
  const others = [
    button(t("Move…"), () => move(booking)),
    button(t("Cancel…"), (event) => cancel(booking, event.currentTarget), "bad"),
  ];
  return el("div", { class: "steps noprint" }, kept, el("p", { class: "row" }, others));
}

/** Another day and time; moving it back is the way to take that back. */
async function move(booking) {
  const times = el("div", {});
  const to = (values, key) =>
    send(path(booking, "move/"), { selected_date: values.day, selected_time: values.time, why: values.why || undefined }, key);
  const choose = async (picked) => show(times, await free(booking, picked));
  const onchange = (event) => event.target.value && choose(event.target.value);
  choose(booking.selected_date);
  const moved = await ask({
    title: t("Move {booking}", { booking: booking.book_id }),
    says: t("It is on {when}. Its customer is written to; nothing is charged.", { when: starts(booking) }),
    fields: [
      field({ name: "day", label: t("Day"), type: "date", value: booking.selected_date, required: true, onchange }),
      times,
      field({ name: "why", label: t("Why, if you like"), maxlength: 300 }),
    ],
    agree: t("Move"),
    act: to,
  });
  if (!moved) return;
  told(t("{booking} is on {when}.", { booking: booking.book_id, when: starts(moved) }), async () => {
    const back = await to({ day: booking.selected_date, time: booking.selected_time });
    await again(booking);
    return back;
  });
  again(booking);
}

/** What can be chosen as the time of a day: its free slots, or any time where the service has no calendar. */
async function free(booking, picked) {
  const label = t("Time");
  try {
    const kind = new URLSearchParams({ date: picked, service_type: booking.service_type });
    const found = await call("GET", `/api/services/${booking.service_id}/slots/?${kind}`);
    if (found.any_time)
      return field({ name: "time", label, type: "time", value: booking.selected_time.slice(0, 5), required: true });
    const open = found.slots.filter((each) => each.free > 0).map(({ time }) => [time, clock(time)]);
    return open.length ? field({ name: "time", label, options: open }) : soft(t("Nothing is free on this day."));
  } catch (error) {
    return el("p", { class: "note bad", role: "alert" }, error.message);
  }
}

/** Cancelling says what goes back, by its service's rule or in full, before it asks; and asks again as an order's does. */
async function cancel(booking, pressed, given = null) {
  const found = await busy(pressed, read(path(booking)));
  if (!found) return;
  if (!found.cancellation) return again(booking);
  const { by_rule: rule, in_full: full } = found.cancellation;
  const amount = (text) => money(text, booking.currency);
  const options = [
    ["rule", t("By its rule: {amount}", { amount: amount(rule) })],
    ["full", t("In full: {amount}", { amount: amount(full) })],
  ];
  const back = (values) => (values.back === "full" ? full : rule);
  const done = await ask({
    title: t("Cancel {booking}?", { booking: booking.book_id }),
    says: [
      given && el("strong", {}, CHANGED),
      t("{what}, {when}, {amount} paid.", { what: what(booking), when: starts(booking), amount: amount(booking.total_amount) }),
      t("Its time is free again. This cannot be taken back, and the customer is told."),
    ],
    fields: [field({ name: "back", label: t("What goes back"), options, value: given?.back }), why(given?.why)],
    agree: (values) => t("Cancel, and give back {amount}", { amount: amount(back(values)) }),
    act: (values, key) => {
      given = values;
      const wanted = { refund: back(values), in_full: values.back === "full", why: values.why };
      return unlessChanged(send(path(booking, "cancel/"), wanted, key));
    },
    bad: true,
  });
  if (!done) return;
  if (done.changed) return cancel(booking, pressed, given);
  const gone = done.refund ? amount(done.refund.amount) : t("nothing");
  told(t("{booking} is cancelled; {amount} goes back.", { booking: booking.book_id, amount: gone }));
  again(booking);
}
