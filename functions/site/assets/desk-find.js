// One box: a receipt, a code, an address, a phone number or its last digits.

import { badge, list, open, paymentPage, query, read, soft } from "./desk.js";
import { search } from "./desk-search.js";
import { bookingWord, orderWord, sessionWord } from "./desk-words.js";
import { link } from "./place.js";
import { el, money, when } from "./ui.js";
import { t } from "./words.js";

const WORDS = { order: orderWord, booking: bookingWord, session: sessionWord };
const KINDS = { order: t("Order"), booking: t("Booking"), session: t("Session") };

const hint = t("A receipt, ORD-…, BK-…, TXN…, MT…, an e-mail address, a phone number or its last four digits.");

function found(q, first) {
  const load = async (before) => {
    const page = before ? await read(`/search/${query({ q, before })}`) : first;
    return { found: page.found, next: page.before };
  };
  return list(load, card, t("Nothing goes by that name."));
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

open(
  () => search(hint, found),
  () => el("p", {}, el("a", { class: "button", href: link("/desk/people") }, t("By person"))),
);
