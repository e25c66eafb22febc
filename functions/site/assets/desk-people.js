// Whose payments go by a number or an address: each customer with what they bought, and what of it goes back.

import { badge, button, facts, open, paymentPage, query, read } from "./desk.js";
import { search } from "./desk-search.js";
import { bookingWord, orderWord, refundWord, sessionWord } from "./desk-words.js";
import { busy, el, money, show, when } from "./ui.js";
import { t } from "./words.js";

const WORDS = { order: orderWord, booking: bookingWord, session: sessionWord };
const TITLES = { order: t("Orders"), booking: t("Bookings"), session: t("Sessions") };

/** The customers in `first`, an answer of the search for `q`, with their payments newest first; older ones join theirs. */
function people(q, first) {
  const [found, shown] = [new Map(), el("div", {})];
  let next = null;
  const more = button(t("Show more"), older, "wide");
  const take = (page) => {
    for (const each of page.found) found.set(each.customer, [...(found.get(each.customer) ?? []), each]);
    next = page.before;
    more.hidden = !next;
    show(shown, [...found].map(([customer, theirs]) => person(customer, theirs)));
  };
  async function older() {
    const page = await busy(more, read(`/search/${query({ q, before: next })}`));
    if (page) take(page);
  }
  take(first);
  return found.size ? [shown, more] : el("p", { class: "empty" }, t("Nobody's payments go by that."));
}

function person(customer, theirs) {
  const of = (kind) => theirs.filter((each) => each.kind === kind);
  return el(
    "article",
    { class: "panel", "aria-label": customer },
    el("h2", { class: "mono" }, customer),
    Object.keys(TITLES).map((kind) => of(kind).length > 0 && [el("h3", {}, TITLES[kind]), el("ul", {}, of(kind).map(line))]),
    facts([t("See what erasing takes"), el("span", { class: "mono" }, `payfirst erase ${customer} --dry-run`)]),
  );
}

const line = (each) =>
  el(
    "li",
    {},
    el("a", { class: "tap", href: paymentPage(each.id, each.customer) }, each.id),
    " ",
    badge(WORDS[each.kind](each.status), each.status),
    " ",
    el("strong", { class: "number" }, money(each.amount, each.currency)),
    each.refund && ` (${back(each)})`,
    el("span", { class: "soft" }, ` ${when(each.created_at)}`),
  );

const back = ({ refund, currency, refund_status: status }) =>
  t("{amount} back or on its way in all; the latest refund: {status}", {
    amount: money(refund, currency),
    status: refundWord(status),
  });

open(() => search(t("A phone number, its last four digits, or an e-mail address."), people));
