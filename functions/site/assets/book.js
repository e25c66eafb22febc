// Pujas and readings: month, day, free slot, then who and where. Each choice stands in the address: back and reload keep it.

import { call, newKey } from "./api.js";
import { field, options, photo } from "./parts.js";
import { review } from "./review.js";
import { signedIn, signIn, who } from "./signin.js";
import { busy, clock, day, el, failed, headed, money, note, show } from "./ui.js";
import { t } from "./words.js";

/** Show in `place` what `choice` has come to: all offers, one of them with its days, or a cart to pay for. */
export function bookings(place, config, offers, choice) {
  if (choice.cart) return review(place, config, offers, choice.cart);
  const offer = offers.find((each) => String(each.id) === choice.service && each.service_type === choice.kind);
  if (!offer) return show(place, el("ul", { class: "cards" }, offers.map(card)));
  return plan(place, offer, choice);
}

const to = (choice) => `#${new URLSearchParams(Object.entries(choice).filter(([, value]) => value))}`;

const cheapest = (offer) =>
  Math.min(...[offer.price, ...offer.packages.map((each) => each.price)].filter(Boolean).map(Number));

function card(offer) {
  const price = money(cheapest(offer), offer.currency);
  return el(
    "li",
    { class: "card" },
    photo(offer.image_url, offer.name),
    el(
      "div",
      { class: "body" },
      el("h2", {}, offer.name),
      el("p", { class: "small" }, offer.description),
      el("p", { class: "number" }, offer.packages.length > 1 ? t("from {price}", { price }) : price),
      el("a", { class: "button main", href: to({ kind: offer.service_type, service: offer.id }) }, t("Choose a day")),
    ),
  );
}

/** The offer with whatever is chosen of day, time, and who comes where. */
function plan(place, offer, choice) {
  const chosen = { kind: choice.kind, service: choice.service };
  const calendar = el("section", { class: "panel", "aria-busy": "true" });
  const rest = el("section", { class: "panel", hidden: true });
  show(
    place,
    el("p", {}, el("a", { href: "#part=bookings" }, t("All pujas and readings"))),
    choice.date ? el("h2", {}, offer.name) : headed("h2", offer.name),
    el("p", { class: "soft" }, offer.description),
    el("p", { class: "soft small" }, t("Times are those of {zone}.", { zone: offer.timezone })),
    calendar,
    rest,
  );
  if (offer.has_calendar)
    month(calendar, offer, chosen, choice.month ?? choice.date?.slice(0, 7) ?? today(offer).slice(0, 7), choice);
  else anyTime(calendar, offer, chosen, choice);
  if (choice.date && choice.time) contact(rest, offer, choice);
  else if (choice.date && offer.has_calendar) slots(rest, offer, { ...chosen, date: choice.date });
}

/** Today where the service is held. */
const today = (offer) => new Intl.DateTimeFormat("en-CA", { timeZone: offer.timezone }).format(new Date());

async function month(place, offer, chosen, which, choice) {
  const [year, number] = which.split("-").map(Number);
  const start = new Date(Date.UTC(year, number - 1, 1));
  const other = (by) => new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
  const title = day(`${which}-01`, { month: "long", year: "numeric" });
  let found;
  try {
    found = await call("GET", `/api/services/${offer.id}/days?month=${which}&service_type=${offer.service_type}`);
  } catch (error) {
    return failed(place, error, () => month(place, offer, chosen, which, choice));
  }
  const free = new Map(found.days.map((each) => [each.date, each.free_slots]));
  const cells = Array.from({ length: (start.getUTCDay() + 6) % 7 }, () => el("span", {}));
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  for (let each = 1; each <= last; each += 1) {
    const date = `${which}-${String(each).padStart(2, "0")}`;
    cells.push(cell(date, each, free.get(date) ?? 0, choice.date === date, to({ ...chosen, date })));
  }
  const earlier = which > today(offer).slice(0, 7);
  show(
    place,
    el(
      "div",
      { class: "row end" },
      earlier
        ? el(
            "a",
            { class: "button", href: to({ ...chosen, month: other(-1) }), "aria-label": t("The month before") },
            "‹",
          )
        : el("span", {}),
      el("h3", {}, title),
      el("a", { class: "button", href: to({ ...chosen, month: other(1) }), "aria-label": t("The next month") }, "›"),
    ),
    el("div", { class: "month", role: "group", "aria-label": title }, weekdays(), cells),
    ![...free.values()].some(Boolean) && note(t("No day of this month is free. Look at the next one."), "warn"),
  );
  return undefined;
}

/** Monday to Sunday, as short as people write them. */
function weekdays() {
  return Array.from({ length: 7 }, (_, at) =>
    el("span", { class: "soft", "aria-hidden": "true" }, day(`2024-01-0${at + 1}`, { weekday: "short" })),
  );
}

function cell(date, shown, free, isChosen, href) {
  const words = day(date);
  if (!free)
    return el("span", { class: "soft shut", role: "img", "aria-label": t("{day}: not free", { day: words }) }, shown);
  return el(
    "a",
    {
      class: "button choice",
      href,
      "aria-current": isChosen && "date",
      "aria-label": t("{day}: {count} free", { day: words, count: free }),
    },
    shown,
  );
}

async function slots(place, offer, chosen) {
  place.hidden = false;
  let found;
  try {
    found = await call("GET", `/api/services/${offer.id}/slots?date=${chosen.date}&service_type=${offer.service_type}`);
  } catch (error) {
    return failed(place, error, () => slots(place, offer, chosen));
  }
  const times = found.slots.map((slot) =>
    slot.free > 0
      ? el("a", { class: "button choice", href: to({ ...chosen, time: slot.time }) }, clock(slot.time))
      : el("span", { class: "button choice shut" }, clock(slot.time), el("small", {}, t("taken"))),
  );
  show(
    place,
    headed("h3", day(chosen.date)),
    times.length ? el("div", { class: "row" }, times) : note(t("Nothing is free on this day any more."), "warn"),
  );
  return undefined;
}

/** A service without a calendar is booked for whatever day and time is given. */
function anyTime(place, offer, chosen, choice) {
  const go = (event) => {
    event.preventDefault();
    location.hash = to({ ...chosen, ...Object.fromEntries(new FormData(event.target)) });
  };
  const date = el("input", { type: "date", name: "date", required: true, min: today(offer), value: choice.date ?? "" });
  const time = el("input", { type: "time", name: "time", required: true, value: choice.time ?? "" });
  show(
    place,
    el(
      "form",
      { onsubmit: go },
      field(t("Day"), date),
      field(t("Time"), time),
      el("p", {}, el("button", { class: "main" }, t("Go on"))),
    ),
  );
}

/** Who it is for, and where it takes place; then a cart of it. */
function contact(place, offer, choice) {
  place.hidden = false;
  const at = `${day(choice.date)}, ${clock(choice.time)}`;
  const again = el(
    "a",
    { href: to({ kind: choice.kind, service: choice.service, date: offer.has_calendar && choice.date }) },
    t("Another time"),
  );
  const title = [headed("h3", at), el("p", { class: "small" }, again)];
  if (!signedIn()) {
    const sentence = el("p", {}, t("Sign in to book: the booking is then yours on every phone."));
    const press = async (event) => {
      if ((await busy(event.target, signIn())) === false)
        event.target.after(note(t("This shop has no page to sign in at."), "bad"));
    };
    show(place, title, sentence, el("button", { class: "main", type: "button", onclick: press }, t("Sign in")));
    return;
  }
  const me = who() ?? {};
  const packages = offer.packages.map((each) => [each.id, `${each.name}, ${money(each.price, offer.currency)}`]);
  const button = el("button", { class: "main" }, t("Look it over"));
  const form = el(
    "form",
    { onsubmit: (event) => book(event, button, offer, choice) },
    packages.length > 0 && field(t("Package"), el("select", { name: "package_id", required: true }, options(packages))),
    field(
      t("Name"),
      el("input", {
        name: "customer_name",
        required: true,
        maxlength: "100",
        autocomplete: "name",
        value: me.name ?? "",
      }),
    ),
    field(
      t("Phone number"),
      el("input", { name: "phone_number", type: "tel", required: true, autocomplete: "tel", value: me.phone ?? "" }),
    ),
    field(
      t("Where it takes place"),
      el("textarea", { name: "address", required: true, maxlength: "500", autocomplete: "street-address" }),
    ),
    field(t("Promo code, if you have one"), el("input", { name: "promo_code", autocomplete: "off", maxlength: "50" })),
    el("p", {}, button),
  );
  show(place, title, form);
}

async function book(event, button, offer, choice) {
  event.preventDefault();
  const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value.trim() !== ""));
  const cart = await busy(
    button,
    call(
      "POST",
      "/api/cart/carts",
      {
        ...given,
        ...(given.package_id && { package_id: Number(given.package_id) }),
        service_type: offer.service_type,
        [`${offer.service_type.toLowerCase()}_service`]: offer.id,
        selected_date: choice.date,
        selected_time: choice.time.slice(0, 5),
      },
      { key: newKey() },
    ),
  );
  if (cart) location.hash = to({ cart: cart.id });
}
