// The shop's money by gateway and by day, the days with bars.

import { bar, dayAfter, facts, heads, query, read, soft, today } from "./desk.js";
import { day, el, money } from "./ui.js";
import { t } from "./words.js";

const LAST_DAYS = 31;
const totals = (first, last) => read(`/totals/${query({ from: first, to: last })}`);
const amount = (text, currency) => el("td", { class: "number" }, money(text, currency));
const table = (...parts) =>
  el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("Money") }, el("table", {}, parts));

/** What came in and went back today, and what is open of the last month. */
export async function moneyToday() {
  const on = today("order");
  const found = await totals(dayAfter(on, 1 - LAST_DAYS), on);
  if (!found.together.length)
    return el("p", { class: "empty" }, t("No money moved in the last {days} days.", { days: LAST_DAYS }));
  const cards = found.together.map((sum) => {
    const now = found.days.find((each) => each.day === on && each.gateway === sum.gateway && each.currency === sum.currency);
    const shown = [
      [t("Came in today"), now?.captured ?? "0"],
      [t("Went back today"), now?.refunded ?? "0"],
      [t("On its way back"), sum.on_its_way_back],
      [t("Waits for a person"), sum.waiting_for_a_person],
    ].map(([label, text]) => [label, el("span", { class: "number" }, money(text, sum.currency))]);
    return el(
      "li",
      {},
      el(
        "article",
        { class: "card", "aria-label": sum.gateway },
        el("div", { class: "body" }, el("h3", {}, sum.gateway), facts(...shown)),
      ),
    );
  });
  return [
    el("ul", { class: "cards" }, cards),
    soft(t("What is on its way back or waits is that of the last {days} days.", { days: LAST_DAYS })),
  ];
}

/** The last seven days: what came in on each, with a bar, and what went back. */
export async function week() {
  const last = today("order");
  const found = await totals(dayAfter(last, -6), last);
  if (!found.days.length) return el("p", { class: "empty" }, t("No money moved in these days."));
  const most = (currency) =>
    Math.max(...found.days.filter((each) => each.currency === currency).map((each) => Number(each.captured)));
  const sums = (each) =>
    [each.captured, each.refunded, each.on_its_way_back, each.waiting_for_a_person].map((text) => amount(text, each.currency));
  const rows = found.days.map((each) =>
    el(
      "tr",
      {},
      el(
        "th",
        { scope: "row" },
        day(each.day, { weekday: "short", day: "numeric", month: "short" }),
        el("span", { class: "soft small" }, ` ${each.gateway}`),
        bar(Number(each.captured), most(each.currency)),
      ),
      sums(each),
    ),
  );
  const feet = found.together.map((each) =>
    el("tr", { class: "sum" }, el("th", { scope: "row" }, t("All, {gateway}", { gateway: each.gateway })), sums(each)),
  );
  return table(
    heads(t("Day"), t("Came in"), t("Went back"), t("On its way back"), t("Waits for a person")),
    el("tbody", {}, rows),
    el("tfoot", {}, feet),
  );
}
