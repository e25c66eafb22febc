// Slips that go with orders: one sheet each, to be printed.

import { facts, open, param, query, read, section } from "./desk.js";
import { paid, place, quantity, slot } from "./desk-order.js";
import { orderWord } from "./desk-words.js";
import { el } from "./ui.js";
import { t } from "./words.js";

const asked = { from: param("from"), to: param("to"), status: param("status") };

async function slips() {
  const orders = param("order") ? [await read(`/orders/${encodeURIComponent(param("order"))}/`)] : await all();
  return orders.length ? orders.map(sheet) : el("p", { class: "empty" }, t("There are no such orders on these days."));
}

async function all() {
  const found = [];
  let after = "";
  do {
    const page = await read(`/orders/${query({ ...asked, after })}`);
    found.push(...page.orders);
    after = page.next;
  } while (after);
  return found;
}

function sheet(order) {
  const to = order.delivery_details;
  const line = (each) =>
    el("tr", {}, el("td", {}, each.product_name), el("td", {}, each.farm_name), el("td", { class: "number" }, quantity(each)));
  return el(
    "article",
    { class: "panel slip", "aria-label": order.order_number },
    el("h3", { class: "amount" }, order.order_number),
    el("p", {}, orderWord(order.order_status), order.receipt && `, ${t("receipt {receipt}", { receipt: order.receipt })}`),
    facts(
      [t("For"), `${to.full_name}, ${to.phone_number}`],
      [t("Address"), place(order)],
      [t("When"), slot(order)],
      [t("Instructions"), to.special_instructions],
      [t("Paid"), paid(order)],
    ),
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          [t("Product"), t("Farm"), t("How much")].map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el("tbody", {}, order.items.map(line)),
    ),
  );
}

open(
  () => el("p", { class: "noprint" }, el("button", { type: "button", class: "main", onclick: () => print() }, t("Print"))),
  () => section(t("One sheet for each order"), slips),
);
