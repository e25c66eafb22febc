// One box: a receipt, a code, an address, a phone number or its last digits.

import { badge, field, list, open, paymentPage, query, read, soft } from "./desk.js";
import { bookingWord, orderWord, sessionWord } from "./desk-words.js";
import { busy, el, money, say, show, when } from "./ui.js";
import { t } from "./words.js";

const WORDS = { order: orderWord, booking: bookingWord, session: sessionWord };
const KINDS = { order: t("Order"), booking: t("Booking"), session: t("Session") };
const results = el("div", {});

// What was searched for stands in no address: it may be somebody's phone number. The entry of the history keeps it.
function box() {
  const go = el("button", { type: "submit", class: "main" }, t("Find"));
  const form = el(
    "form",
    { role: "search", class: "filter" },
    field({
      name: "q",
      label: t("What you have of it"),
      type: "search",
      required: true,
      maxlength: 100,
      value: history.state?.q ?? "",
      hint: t("A receipt, ORD-…, BK-…, TXN…, MT…, an e-mail address, a phone number or its last four digits."),
    }),
    go,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find(form.elements.q.value, go);
  });
  if (history.state?.q) find(history.state.q, go);
  else queueMicrotask(() => form.elements.q.focus());
  return el("div", {}, form, soft(t("Each search is recorded with who made it; one person may make 120 in an hour.")), results);
}

async function find(q, go) {
  history.replaceState({ q }, "");
  const first = await busy(go, read(`/search/${query({ q })}`));
  if (!first) return;
  const load = async (before) => {
    const page = before ? await read(`/search/${query({ q, before })}`) : first;
    return { found: page.found, next: page.before };
  };
  show(results, await list(load, card, t("Nothing goes by that name.")));
  say(
    first.before
      ? t("More than {count} found.", { count: first.found.length })
      : t("{count} found.", { count: first.found.length }),
  );
}

const card = (each) =>
  el(
    "article",
    { class: "card", "aria-label": each.id },
    el(
      "div",
      { class: "body" },
      el(
        "h3",
        { class: "row end" },
        el("a", { href: paymentPage(each.id, each.customer) }, each.id),
        badge(WORDS[each.kind](each.status), each.status),
      ),
      el("p", {}, KINDS[each.kind], " ", el("strong", { class: "number" }, money(each.amount, each.currency))),
      soft(when(each.created_at)),
    ),
  );

open(box);
