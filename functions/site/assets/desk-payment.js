// One payment's whole story, under any of its names, and what only a person decides about it.

import {
  ask,
  badge,
  button,
  facts,
  field,
  open,
  paymentPage,
  param,
  query,
  read,
  section,
  send,
  soft,
  told,
  why,
  ZONES,
} from "./desk.js";
import { bookingCard } from "./desk-booking.js";
import { orderCard } from "./desk-order.js";
import { attemptWord, refundWord, sessionWord } from "./desk-words.js";
import { here } from "./place.js";
import { el, failed, money, poll, show, when } from "./ui.js";
import { t } from "./words.js";

const which = here()[2];

const mono = (text) => text && el("span", { class: "mono" }, text);

const pathWith = (more) => `/payments/${encodeURIComponent(which)}/${query({ customer: param("customer"), ...more })}`;
const path = pathWith({});
const UNDER_WAY = ["created", "sent", "unknown", "due", "sending", "accepted"];
let watching = new AbortController();

/** Load the page anew as soon as more has happened to a payment or a refund that is under way. */
function watch({ attempts, refunds, events }, again) {
  watching.abort();
  watching = new AbortController();
  if (![...attempts, ...refunds].some(({ status }) => UNDER_WAY.includes(status))) return;
  const until = (now) => now.events.length > events.length;
  poll(() => read(path), { until, first: 3000, most: 20000, signal: watching.signal }).then(again, () => {});
}

async function payment(again) {
  const story = await read(path);
  watch(story, again);
  const zone = ZONES[story.kind];
  document.querySelector("h1").textContent = story.became ?? which;
  const head = el(
    "article",
    { class: "panel" },
    el(
      "p",
      { class: "row end" },
      el("strong", { class: "amount" }, money(story.amount, story.currency)),
      badge(sessionWord(story.session_status), story.session_status),
    ),
    facts(
      [t("Became"), story.became && el("a", { href: paymentPage(story.became) }, story.became)],
      [t("Begun"), when(story.created_at, zone)],
      [t("To be paid until"), when(story.expires_at, zone)],
      [t("Session"), mono(story.session_id)],
      [t("Customer"), mono(story.customer)],
    ),
  );
  return [
    head,
    story.attempts.map((each) => attempt(each, story, again)),
    story.refunds.map((each) => refund(each, again)),
    await fulfilled(story),
    el("h2", {}, t("What happened")),
    happened(story),
    sent(story),
  ];
}

/** What the gateway sent, as the API redacts it; it is asked for when somebody opens it. */
function sent({ kind }) {
  const body = el("div", {});
  const load = async () => {
    body.setAttribute("aria-busy", "true");
    try {
      const { notices, more_notices: more } = await read(pathWith({ notices: true }));
      const entry = (one) => [
        facts(
          [t("Attempt"), mono(one.attempt)],
          [t("Received"), when(one.received_at, ZONES[kind])],
          [t("Settled"), one.settled_at ? when(one.settled_at, ZONES[kind]) : t("not yet")],
        ),
        el("pre", { class: "mono", tabindex: "0", "aria-label": t("What the gateway sent") }, one.body),
      ];
      const some = more && ` ${t("Of each attempt 50 are shown: there are more, earlier and later ones.")}`;
      const hint = soft(t("Without what says who paid, and without secrets."), some);
      const none = t("Nothing that came about these attempts is listed. What earlier releases kept is not, nor what came about refunds.");
      show(body, notices.length ? [hint, notices.map(entry)] : soft(none));
    } catch (error) {
      failed(body, error, load);
    }
  };
  const ontoggle = (event) => event.currentTarget.open && !body.hasChildNodes() && load();
  return el("details", { class: "noprint", ontoggle }, el("summary", {}, t("What the gateway sent")), body);
}

/** What the payment became, with its own steps. */
async function fulfilled({ became, kind }) {
  if (!became) return null;
  return kind === "order" ? orderCard(await read(`/orders/${became}/`)) : bookingCard(await read(`/bookings/${became}/`));
}

function attempt(made, { currency }, again) {
  const amount = (text) => text && money(text, currency);
  const decide = made.review !== null || made.status === "needs_review";
  return el(
    "article",
    { class: "panel", "aria-label": made.attempt },
    el(
      "h3",
      { class: "row end" },
      t("Attempt through {gateway}", { gateway: made.gateway }),
      badge(attemptWord(made.status), made.status),
    ),
    made.review && el("p", { class: "note warn" }, made.review),
    facts(
      [t("Its name"), mono(made.attempt)],
      [t("Transaction"), mono(made.transaction_id)],
      [t("Asked for"), amount(made.amount)],
      [t("Received"), amount(made.captured)],
      [t("Can go back"), amount(made.refundable)],
      [t("Receipt"), mono(made.receipt)],
    ),
    el(
      "p",
      { class: "row noprint" },
      made.refundable && button(t("Refund…"), () => giveBack(made, currency, again), "bad"),
      decide && button(t("It was paid…"), () => resolve(made, "paid", again)),
      decide && button(t("It was not paid…"), () => resolve(made, "unpaid", again)),
      decide && button(t("Close its doubts…"), () => resolve(made, null, again)),
    ),
  );
}

async function giveBack(made, currency, again) {
  const left = money(made.refundable, currency);
  const done = await ask({
    title: t("Give money back"),
    says: [
      t("Of {paid} that were paid, {left} can go back.", { paid: money(made.captured, currency), left }),
      t("The gateway is asked to pay it back within a minute; this cannot be taken back."),
    ],
    fields: [
      field({
        name: "amount",
        label: t("How much"),
        inputmode: "decimal",
        pattern: "[0-9]+([.][0-9]{1,2})?",
        required: true,
        value: made.refundable,
        hint: t("The whole, or a part, as 100.00"),
      }),
      why(),
    ],
    agree: ({ amount }) => (Number(amount) > 0 ? t("Give back {amount}", { amount: money(amount, currency) }) : t("Give back")),
    act: (values, key) => send(`/payments/${made.attempt}/refund/`, values, key),
    bad: true,
  });
  if (!done) return;
  told(t("{amount} goes back as {refund}.", { amount: money(done.amount, done.currency), refund: done.refund }));
  again();
}

const FOUND = {
  paid: [
    t("Was it paid?"),
    t("The payment then goes on by itself: an order or a booking is made of it, or its money goes back."),
    t("Yes, it was paid"),
  ],
  unpaid: [
    t("Was it not paid?"),
    t("Its customer may try again; money that comes later is still honoured."),
    t("It was not paid"),
  ],
  doubts: [
    t("Close its doubts?"),
    t("What contradicted this payment is taken off the list, and nothing else is decided."),
    t("Close its doubts"),
  ],
};

async function resolve(made, found, again) {
  const [title, says, agree] = FOUND[found ?? "doubts"];
  const receipt =
    found === "paid" &&
    field({ name: "receipt", label: t("The gateway's receipt, if there is one"), maxlength: 64, value: made.receipt ?? "" });
  const done = await ask({
    title,
    says: [says, t("This cannot be taken back.")],
    fields: [receipt, why()],
    agree,
    act: (values, key) =>
      send(
        `/payments/${made.attempt}/resolve/`,
        { why: values.why, ...(found && { found }), ...(values.receipt && { receipt: values.receipt }) },
        key,
      ),
    bad: true,
  });
  if (!done) return;
  told(`${done.attempt}: ${done.result}`);
  again();
}

const BY_HAND = ["needs_review", "due"]; // of those that are due the API takes only what waits for a person

function refund(made, again) {
  return el(
    "article",
    { class: "panel", "aria-label": made.refund },
    el(
      "h3",
      { class: "row end" },
      t("Refund of {amount}", { amount: money(made.amount, made.currency) }),
      badge(refundWord(made.status), made.status),
    ),
    made.detail && el("p", { class: "note warn" }, made.detail),
    facts([t("Its name"), mono(made.refund)], [t("Reason"), made.reason], [t("Why"), made.why]),
    BY_HAND.includes(made.status) &&
      el(
        "p",
        { class: "noprint" },
        button(t("Paid back by hand…"), () => byHand(made, again), "bad"),
      ),
  );
}

async function byHand(made, again) {
  const amount = money(made.amount, made.currency);
  const done = await ask({
    title: t("Paid back by hand?"),
    says: [
      t("Record that {amount} reached the customer by hand. The gateway pays nothing then, and this cannot be taken back.", {
        amount,
      }),
    ],
    fields: [why()],
    agree: t("{amount} was paid back", { amount }),
    act: (values, key) => send(`/refunds/${made.refund}/resolve/`, { why: values.why }, key),
    bad: true,
  });
  if (!done) return;
  told(done.detail ?? `${done.refund}: ${refundWord(done.status)}`);
  again();
}

function happened({ events, kind, currency }) {
  const fact = ([name, value]) => (name === "amount" ? money(value, currency) : `${name}: ${value}`);
  const entry = (event) =>
    el(
      "li",
      {},
      el("strong", { class: "mono" }, event.event),
      el("p", { class: "soft small" }, when(event.at, ZONES[kind]), ", ", event.by),
      el("p", { class: "small" }, Object.entries(event.facts).map(fact).join(", ")),
    );
  return el("ol", { class: "timeline" }, events.map(entry));
}

open(() => section(t("The payment"), payment, { follows: true }));
