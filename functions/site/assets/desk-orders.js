// The orders of some days, by where they stand.

import { dayAfter, field, filter, list, open, param, query, read, section, today } from "./desk.js";
import { orderCard } from "./desk-order.js";
import { ORDER_STATUSES } from "./desk-words.js";
import { link } from "./place.js";
import { day, el } from "./ui.js";
import { t } from "./words.js";

const to = param("to") || today("order");
const asked = { from: param("from") || dayAfter(to, -6), to, status: param("status") };

function chosen() {
  const statuses = [["", t("all")], ...ORDER_STATUSES];
  const fields = [
    field({ name: "from", label: t("From"), type: "date", value: asked.from, required: true }),
    field({ name: "to", label: t("To"), type: "date", value: asked.to, required: true }),
    field({ name: "status", label: t("Status"), options: statuses, value: asked.status }),
  ];
  const slips = el("a", { class: "button", href: link(`/desk/slips${query(asked)}`) }, t("Slips of these"));
  return filter("/desk/orders", fields, slips);
}

const orders = () =>
  list(
    async (after) => {
      const page = await read(`/orders/${query({ ...asked, after })}`);
      return { found: page.orders, next: page.next };
    },
    orderCard,
    t("There are no such orders on these days."),
  );

open(chosen, () => section([asked.from, asked.to].map((each) => day(each)).join(" – "), orders));
