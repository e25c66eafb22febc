// What waits for a person, or has waited too long: where to look at it, try it again, or close it.

import { ask, badge, button, list, paymentPage, query, read, send, soft, step, told, why } from "./desk.js";
import { el, show, when } from "./ui.js";
import { t } from "./words.js";

/** The parts of the list, for a section that loads it anew by `again`. What has been left lying is looked for on a tap. */
export async function waiting(again) {
  const lain = el("div", {});
  const look = async (first) => show(lain, await entries("overdue", first, () => page("overdue").then(look)));
  show(lain, soft(t("The shop does the rest by itself.")), step(t("Look for work left lying"), () => page("overdue"), look, ""));
  return [await entries("review", await page("review"), again), lain];
}

const page = (list, after = "") => read(`/stuck/${query({ list, after })}`);

const EMPTY = { review: t("Nothing needs a person."), overdue: t("Nothing has been left lying.") };

async function entries(which, first, again) {
  const load = async (after) => {
    const { waiting: found, next } = after ? await page(which, after) : first;
    return { found, next };
  };
  const { waiting: found, next } = first;
  const counted = el("p", {}, el("strong", { class: "amount" }, next ? `${found.length}+` : `${found.length}`));
  return [found.length > 0 && counted, await list(load, (entry) => card(entry, again), EMPTY[which])].flat();
}

const whatFor = (what) =>
  what === "needs review" ? t("needs a person") : t("overdue: {what}", { what: what.replace("overdue: ", "") });

function card(entry, again) {
  const [kind, attempt, digest] = entry.key.split("#"); // of a notice that an earlier release stored: no attempt
  const isNotice = kind === "INBOX";
  const hasPayment = entry.customer ? !entry.key.includes(" B#") : !isNotice || digest;
  const href = hasPayment && paymentPage(isNotice ? attempt : entry.which, entry.customer);
  const name = href ? el("a", { href }, entry.which) : entry.key;
  const isCase = hasPayment && !isNotice && !entry.customer;
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
