// The bookings of a day, by their time: a sheet that can be printed.

import { dayAfter, field, filter, list, open, param, query, read, section, today } from "./desk.js";
import { bookingCard } from "./desk-booking.js";
import { BOOKING_STATUSES } from "./desk-words.js";
import { link } from "./place.js";
import { day, el } from "./ui.js";
import { t } from "./words.js";

const asked = { day: param("day") || today("booking"), status: param("status") };

function chosen() {
  const at = (days) => link(`/desk/bookings${query({ ...asked, day: dayAfter(asked.day, days) })}`);
  const fields = [
    field({ name: "day", label: t("Day"), type: "date", value: asked.day, required: true }),
    field({ name: "status", label: t("Status"), options: [["", t("all")], ...BOOKING_STATUSES], value: asked.status }),
  ];
  return filter(
    "/desk/bookings",
    fields,
    el("a", { class: "button", href: at(-1), rel: "prev" }, t("Day before")),
    el("a", { class: "button", href: at(1), rel: "next" }, t("Day after")),
    el("button", { type: "button", onclick: () => print() }, t("Print")),
  );
}

const bookings = () =>
  list(
    async (after) => {
      const page = await read(`/bookings/${query({ ...asked, after })}`);
      return { found: page.bookings, next: page.next };
    },
    bookingCard,
    t("There are no such bookings on this day."),
  );

open(chosen, () => section(day(asked.day), bookings));
