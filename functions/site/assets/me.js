// Who is signed in, and what they have bought.

import { call } from "./api.js";
import { link } from "./place.js";
import { signedIn, signIn, signOut, who } from "./signin.js";
import { busy, clock, day, el, failed, money, note, show, when } from "./ui.js";
import { sentence, t } from "./words.js";

const place = document.getElementById("me");
const ZONE = "Africa/Nairobi";

async function start() {
  if (!signedIn()) {
    const press = async (event) => {
      if ((await busy(event.target, signIn())) === false)
        event.target.after(note(t("This shop has no page to sign in at."), "bad"));
    };
    show(
      place,
      el("p", {}, t("Sign in to see your orders and bookings.")),
      el("p", {}, el("button", { class: "main", type: "button", onclick: press }, t("Sign in"))),
    );
    return;
  }
  const me = who() ?? {};
  const lists = el("div", {});
  show(
    place,
    el(
      "div",
      { class: "row end" },
      el("p", { class: "soft" }, t("Signed in as {name}", { name: me.name ?? me.email ?? me.phone ?? "" })),
      el("button", { type: "button", onclick: (event) => busy(event.target, signOut()) }, t("Sign out")),
    ),
    me.operator && el("p", {}, el("a", { class: "button", href: link("/desk") }, t("To the desk"))),
    lists,
  );
  try {
    const [sessions, orders, bookings] = await Promise.all(
      ["/api/payments/sessions", "/api/orders", "/api/booking/bookings"].map((each) =>
        call("GET", `${each}?page_size=10`),
      ),
    );
    const open = sessions.results.filter((each) =>
      ["pending", "payment_initiated", "paid"].includes(each.session_status),
    );
    show(
      lists,
      open.length > 0 && [el("h2", {}, t("Not paid yet")), el("ul", { class: "panel lines" }, open.map(session))],
      el("h2", {}, t("Orders")),
      list(orders, "/api/orders", order),
      el("h2", {}, t("Bookings")),
      list(bookings, "/api/booking/bookings", booking),
    );
  } catch (error) {
    failed(lists, error, start);
  }
}

/** The first page of a list, and a button for the next. */
function list(found, path, row) {
  if (!found.results.length) return el("p", { class: "empty" }, t("There is nothing here yet."));
  const rows = el("ul", { class: "panel lines" }, found.results.map(row));
  const button = el("button", { type: "button", onclick: () => further() }, t("Show more"));
  let next = cursor(found);
  async function further() {
    const more = await busy(button, call("GET", `${path}?page_size=10&cursor=${encodeURIComponent(next)}`));
    if (!more) return;
    rows.append(...more.results.map(row));
    next = cursor(more);
    button.hidden = next === null;
  }
  return [rows, el("p", {}, next !== null && button)];
}

const cursor = (found) => (found.next ? new URL(found.next).searchParams.get("cursor") : null);

const row = (href, title, status, amount) =>
  el(
    "li",
    {},
    el("div", { class: "row end" }, el("a", { href: link(href) }, title), el("span", { class: "number" }, amount)),
    el("p", { class: "soft small" }, status),
  );

const session = (each) =>
  row(
    `/checkout/${each.session_id}`,
    when(each.created_at, ZONE),
    t("Go on with the payment"),
    money(each.total_amount, each.currency),
  );

const ORDER = {
  confirmed: sentence("Confirmed"),
  packed: sentence("Packed"),
  out_for_delivery: sentence("On its way"),
  delivered: sentence("Delivered"),
  cancelled: sentence("Cancelled"),
};
const BOOKING = {
  CONFIRMED: sentence("Confirmed"),
  COMPLETED: sentence("Taken place"),
  CANCELLED: sentence("Cancelled"),
};

const order = (each) =>
  row(
    `/orders/${each.order_number}`,
    each.order_number,
    `${t(ORDER[each.order_status] ?? each.order_status)}, ${when(each.created_at, ZONE)}`,
    money(each.total_amount, each.currency),
  );

const booking = (each) =>
  row(
    `/bookings/${each.book_id}`,
    `${each.service_name}, ${day(each.selected_date)}, ${clock(each.selected_time)}`,
    t(BOOKING[each.status] ?? each.status),
    money(each.total_amount, each.currency),
  );

await start();
