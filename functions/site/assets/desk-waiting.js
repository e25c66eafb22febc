// What waits for a person, or has waited too long: where to look at it, try it again, or close it.

import { ask, badge, paymentPage, read, send, soft, step, told, button, why } from "./desk.js";
import { el, when } from "./ui.js";
import { t } from "./words.js";

/** The parts of the list, for a section that loads it anew by `again`. */
export async function waiting(again) {
  const found = await read("/stuck/");
  if (!found.waiting.length) return el("p", { class: "empty" }, t("Nothing needs a person."));
  const entries = found.waiting.map((entry) => el("li", {}, card(entry, again)));
  return [
    el("p", {}, el("strong", { class: "amount" }, found.more ? `${entries.length}+` : `${entries.length}`)),
    el("ul", { class: "cards" }, entries),
    found.more && soft(t("There are more; they are listed as these are settled.")),
  ];
}

const whatFor = (what) =>
  what === "needs review" ? t("needs a person") : t("overdue: {what}", { what: what.replace("overdue: ", "") });

function card(entry, again) {
  const hasPayment = entry.customer ? !entry.key.includes(" B#") : !entry.key.startsWith("INBOX#");
  const name = hasPayment ? el("a", { href: paymentPage(entry.which, entry.customer) }, entry.which) : entry.key;
  const isCase = hasPayment && !entry.customer;
  return el(
    "article",
    { class: "card", "aria-label": entry.key },
    el(
      "div",
      { class: "body" },
      el("p", { class: "row end" }, badge(whatFor(entry.what), "warn"), el("span", { class: "soft" }, when(entry.since))),
      el("h3", { class: "mono" }, name),
      el(
        "p",
        { class: "row" },
        isCase && el("a", { class: "button main", href: paymentPage(entry.which) }, t("Look and decide")),
        step(
          t("Try again"),
          () => send("/stuck/replay/", { which: entry.key }),
          (done) => finish(`${entry.which}: ${done.result}`),
          "",
        ),
        !isCase && entry.what === "needs review" && button(t("Close…"), close, "bad"),
      ),
    ),
  );

  async function close() {
    const done = await ask({
      title: t("Close this?"),
      says: [entry.key, t("Nobody tries it any more. This cannot be taken back.")],
      fields: [why()],
      agree: t("Close it"),
      act: (values, key) => send("/stuck/close/", { which: entry.key, why: values.why }, key),
      bad: true,
    });
    if (done) finish(`${entry.which}: ${done.result}`);
  }

  function finish(said) {
    told(said);
    again();
  }
}
