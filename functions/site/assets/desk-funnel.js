// How far sessions came, and the week's money: pictures that are tables.

import { bar, field, filter, heads, open, param, query, read, section, soft } from "./desk.js";
import { week } from "./desk-money.js";
import { SESSION_STATUSES } from "./desk-words.js";
import { el, when } from "./ui.js";
import { t } from "./words.js";

const STAGES = {
  "session.created": t("Sessions made"),
  "payment.initiated": t("Payment started"),
  "payment.received": t("Payment received"),
  fulfilled: t("Order or booking"),
  "session.expired": t("Expired"),
};
const RATES = {
  session_creation: t("Sessions made"),
  payment_initiation: t("Started to pay, of those made"),
  payment_success: t("Paid, of those started"),
  session_expiry: t("Expired, of those made"),
  order_creation_success: t("Fulfilled, of those paid"),
};
const asked = { since: param("since") || "24h", kind: param("kind") };
const share = (rate) =>
  rate === null
    ? "–"
    : new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 }).format(rate);

function chosen() {
  const times = [
    ["24h", t("24 hours")],
    ["7d", t("7 days")],
    ["31d", t("31 days")],
  ];
  const kinds = [
    ["", t("both")],
    ["order", t("orders")],
    ["booking", t("bookings")],
  ];
  return filter("/desk/funnel", [
    field({ name: "since", label: t("How far back"), options: times, value: asked.since }),
    field({ name: "kind", label: t("What"), options: kinds, value: asked.kind }),
  ]);
}

async function funnel() {
  const found = await read(`/funnel/${query(asked)}`);
  const made = found.stages["session.created"].sessions;
  if (!made) return el("p", { class: "empty" }, t("No sessions were made since {when}.", { when: when(found.since) }));
  const stages = Object.entries(found.stages).map(([name, { sessions, rate }]) => [
    STAGES[name] ?? name,
    sessions,
    share(rate),
    bar(sessions, made),
  ]);
  const rates = Object.entries(found.rates).map(([name, each]) => [
    RATES[name] ?? name,
    ...measured(name, each),
    name === "session_creation" ? "" : bar(each.rate ?? 0, 1),
  ]);
  const statuses = SESSION_STATUSES.map(([status, word]) => [
    word,
    found.status_now[status],
    share(found.status_now[status] / made),
    bar(found.status_now[status], made),
  ]);
  return [
    soft(t("Of the sessions made since {when}; what happened in the last minute may be missing.", { when: when(found.since) })),
    table(t("How far they came"), [t("Stage"), t("Sessions"), t("Share")], stages),
    table(t("The five rates"), [t("Rate"), t("How many"), t("Share")], rates),
    table(t("Where they stand now"), [t("Status"), t("Sessions"), t("Share")], statuses),
  ];
}

function measured(name, { part, of, rate }) {
  if (name !== "session_creation") return [t("{part} of {of}", { part, of }), share(rate)];
  const hourly = rate === null ? "–" : t("{count} an hour", { count: (rate * 60).toFixed(1) });
  return [t("{part} in {of} minutes", { part, of }), hourly];
}

const table = (title, labels, rows) =>
  el(
    "table",
    {},
    el("caption", {}, title),
    heads(...labels),
    el(
      "tbody",
      {},
      rows.map(([label, count, rate, picture]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, label, picture),
          el("td", { class: "number" }, `${count}`),
          el("td", { class: "number" }, rate),
        ),
      ),
    ),
  );

open(
  chosen,
  () => section(t("The funnel"), funnel),
  () => section(t("Money of the last seven days"), week),
);
