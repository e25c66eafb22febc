// Parts that several pages have: pictures, fields, bills, lists of facts, timelines, a question before what cannot be undone.

import { el, money } from "./ui.js";
import { t } from "./words.js";

/** The picture at an https address, or a tile where there is none, or none that loads. */
export function photo(address, name) {
  const tile = () => el("div", { class: "photo tile", "aria-hidden": "true" }, [...name][0] ?? "");
  if (!address?.startsWith("https://")) return tile();
  const picture = el("img", { class: "photo", src: address, alt: "", loading: "lazy", referrerpolicy: "no-referrer" });
  picture.addEventListener("error", () => picture.replaceWith(tile()), { once: true });
  return picture;
}

/** A labelled field of a form. */
export const field = (title, input) => el("label", {}, el("span", {}, title), input);

/** The options of a select, [value, text] each; with `first` nothing is chosen yet. */
export function options(pairs, first = null) {
  const made = pairs.map(([value, text]) => el("option", { value: String(value) }, text));
  return first === null ? made : [el("option", { value: "" }, first), ...made];
}

/** Where who has a promo code types it; `apply(event, body)` sends it. */
export function promoCode(apply) {
  const code = el("input", {
    name: "promo_code",
    autocomplete: "off",
    required: true,
    "aria-label": t("Promo code"),
    placeholder: t("Promo code"),
  });
  const send = (event) => apply(event, { promo_code: code.value.trim() });
  return el(
    "details",
    {},
    el("summary", {}, t("I have a promo code")),
    el("form", { class: "row", onsubmit: send }, code, el("button", {}, t("Apply"))),
  );
}

/** What is bought, what comes on top and what that is together: rows of [words, amount], the last one the sum. */
export function bill(rows, currency) {
  const made = rows.map(([words, amount], at) =>
    el(
      "tr",
      { class: at === rows.length - 1 ? "sum" : null },
      el("th", { scope: "row" }, words),
      el("td", { class: "number" }, money(amount, currency)),
    ),
  );
  return el("table", {}, el("tbody", {}, made));
}

/** A list of names with their values; those without a value are left out. */
export function facts(pairs) {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el(
    "dl",
    {},
    told.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
  );
}

/** What happened, oldest first: [words, when] each. */
export const timeline = (steps) =>
  el(
    "ol",
    { class: "timeline" },
    steps.map(([words, at]) => el("li", {}, el("b", {}, words), el("div", { class: "soft small" }, at))),
  );

/** A button that prints the page, of which a receipt is left. */
export const printed = () =>
  el("button", { class: "noprint", type: "button", onclick: () => print() }, t("Print or keep"));

/** Ask before what cannot be undone; resolves to the reason that was given, perhaps empty, or to null. */
export function confirm(title, sentence, words) {
  return new Promise((resolve) => {
    const reason = el("input", { name: "reason", maxlength: "500" });
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, title),
      el("p", {}, sentence),
      field(t("Why? The shop reads it."), reason),
      el(
        "div",
        { class: "row end" },
        el("button", { value: "" }, t("Back")),
        el("button", { class: "bad", value: "yes" }, words),
      ),
    );
    const dialog = el("dialog", { "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? reason.value.trim() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
