// The shop's day: what needs a person, what to pack, who comes, and the money.

import { counted, dayAfter, list, open, query, read, section, today } from "./desk.js";
import { bookingCard } from "./desk-booking.js";
import { moneyToday } from "./desk-money.js";
import { orderCard } from "./desk-order.js";
import { waiting } from "./desk-waiting.js";
import { link } from "./place.js";
import { day } from "./ui.js";
import { t } from "./words.js";

const DAYS = 7; // as `payfirst orders list`
const MOST = 8; // of each list; the rest is a tap away

async function toPack() {
  const to = today("order");
  const asked = query({ status: "confirmed", from: dayAfter(to, 1 - DAYS), to });
  const page = await read(`/orders/${asked}`);
  const all = link(`/desk/orders${asked}`);
  return [
    counted(page.orders.length, page.next, t("in the last {days} days", { days: DAYS }), all),
    await list(() => ({ found: page.orders.slice(0, MOST) }), orderCard, t("Nothing is to be packed.")),
  ];
}

async function bookings(ahead) {
  const on = dayAfter(today("booking"), ahead);
  const page = await read(`/bookings/?day=${on}`);
  return [
    counted(page.bookings.length, page.next, day(on), link(`/desk/bookings?day=${on}`)),
    await list(() => ({ found: page.bookings.slice(0, MOST) }), bookingCard, t("Nobody has booked this day.")),
  ];
}

open(
  () => section(t("Needs a person"), waiting),
  () => section(t("To pack"), toPack, { follows: true }),
  () => section(t("Today's bookings"), () => bookings(0), { follows: true }),
  () => section(t("Tomorrow's bookings"), () => bookings(1), { follows: true }),
  () => section(t("Money"), moneyToday),
);
