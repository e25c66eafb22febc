// The search by what a person has at hand, as two pages have it.

import { field, query, read, soft } from "./desk.js";
import { busy, el, say, show } from "./ui.js";
import { t } from "./words.js";

/**
 * A box with a `hint`, and what `shown(q, answer)` makes of the first answer. What was searched for stands in no address: it may
 * be somebody's phone number. The entry of the history keeps it.
 */
export function search(hint, shown) {
  const [results, go] = [el("div", {}), el("button", { type: "submit", class: "main" }, t("Find"))];
  const q = field({
    name: "q",
    label: t("What you have of it"),
    type: "search",
    required: true,
    maxlength: 100,
    value: history.state?.q ?? "",
    hint,
  });
  const form = el("form", { role: "search", class: "filter" }, q, go);
  const find = async (text) => {
    history.replaceState({ q: text }, "");
    const first = await busy(go, read(`/search/${query({ q: text })}`));
    if (!first) return;
    show(results, await shown(text, first));
    const count = { count: first.found.length };
    say(first.before ? t("More than {count} found.", count) : t("{count} found.", count));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find(form.elements.q.value);
  });
  if (history.state?.q) find(history.state.q);
  else queueMicrotask(() => form.elements.q.focus());
  return el("div", {}, form, soft(t("Each search is recorded with who made it; one person may make 120 in an hour.")), results);
}
