// One payment session: what is bought, the prompt on the phone with the time that is left, and what came of it.

import { call, newKey, now } from "./api.js";
import { ApiError } from "./errors.js";
import { outcome } from "./outcome.js";
import { bill, facts, field } from "./parts.js";
import { follow } from "./pay.js";
import { here } from "./place.js";
import { signedIn, signIn } from "./signin.js";
import { busy, day, el, failed, note, number, poll, say, show } from "./ui.js";
import { t } from "./words.js";

const place = document.getElementById("checkout");
const path = `/api/payments/sessions/${encodeURIComponent(here()[1])}`;
const LATE_MS = 300000; // how long after its end a failed session is still watched: money may come late
const PACE = { pending: [3000, 15000], payment_initiated: [1500, 5000], paid: [1000, 60000], failed: [20000, 60000] };

const panel = el("section", { class: "panel", "aria-label": t("Payment") });
const left = el("p", { class: "countdown", role: "timer" });
let session = null;
let watching = new AbortController();

async function start() {
  if (!signedIn()) return signIn();
  try {
    session = await call("GET", path);
  } catch (error) {
    return failed(place, error, start);
  }
  if (!session.delivery_details) return location.replace(follow(session.session_id)); // a booking is paid through its cart
  show(place, el("div", { class: "columns" }, panel, summary()));
  draw(session);
  setInterval(tick, 1000);
  return watch();
}

/** Ask how it stands, as often as is worth it, and again whenever something was done here or in another tab. */
async function watch() {
  watching.abort();
  watching = new AbortController();
  const { signal } = watching;
  const ask = () => call("GET", `${path}/status`, null, { signal });
  try {
    for (let pace; (pace = PACE[session.session_status]) && !tooLate();) {
      const from = session.session_status;
      const until = (told) => told.session_status !== from || tooLate();
      await poll(ask, { until, seen: draw, first: pace[0], most: pace[1], signal });
    }
  } catch (error) {
    if (!signal.aborted) failed(panel, error, watch);
  }
}

const tooLate = () => session.session_status === "failed" && now() > Date.parse(session.expires_at) + LATE_MS;

let drawn = "";

/** Show how the session stands; what is the same as before stays, with whatever somebody is typing into it. */
function draw(told) {
  session = { ...session, ...told, failure: told.failure, refund: told.refund };
  const seen = JSON.stringify([told.session_status, told.failure, told.refund, told.order, told.booking]);
  tick();
  if (seen === drawn) return;
  drawn = seen;
  const shown = state();
  show(panel, shown);
  const sentence = panel.querySelector("h2, .note")?.textContent;
  if (sentence) say(sentence);
}

function state() {
  const status = session.session_status;
  if (status === "pending")
    return [
      el("h2", {}, t("Pay with M-Pesa")),
      el("p", {}, t("We send a request to your phone. You agree there, with your M-Pesa PIN.")),
      prompt(t("Send the request to my phone")),
      time(),
    ];
  if (status === "payment_initiated") return waiting();
  if (status === "paid") return [note(t("Paid. One moment: your order is being made."), "good")];
  return outcome(session, session.currency, [prompt(t("Try again")), time()]);
}

function waiting() {
  return [
    el("h2", {}, t("Look at your phone")),
    session.elsewhere &&
      note(t("A request is open already, perhaps on another phone. When it has ended, a new one can be sent."), "warn"),
    el(
      "ol",
      {},
      [
        t("A request of M-Pesa opens on it by itself."),
        t("Compare the amount, then enter your M-Pesa PIN."),
        t("This page shows when it has arrived. You can leave it open, or come back to it."),
      ].map((each) => el("li", {}, each)),
    ),
    el("p", { class: "soft small" }, t("Time left to pay")),
    left,
    el(
      "details",
      {},
      el("summary", {}, t("No request has come")),
      el(
        "p",
        {},
        t(
          "Is the phone on, and does it have a network? A request ends by itself after a minute or two; then this page offers another try.",
        ),
      ),
    ),
  ];
}

const ELSEWHERE = "elsewhere";

/** The form that prompts a phone: the one of the delivery, or another. */
function prompt(words) {
  const phone = el("input", {
    name: "phone_number",
    type: "tel",
    autocomplete: "tel",
    required: true,
    value: session.phone_number ?? session.delivery_details?.phone_number ?? "",
  });
  const button = el("button", { class: "main wide" }, words);
  const send = async (event) => {
    event.preventDefault();
    const begun = await busy(button, initiate(phone.value.trim()));
    if (!begun) return;
    session.elsewhere = begun === ELSEWHERE;
    if (!session.elsewhere) session.phone_number = phone.value.trim();
    drawn = "";
    draw({ session_status: "payment_initiated" });
    watch();
  };
  return el("form", { onsubmit: send }, field(t("M-Pesa phone number"), phone), el("p", {}, button));
}

/** A prompt on that phone, or ELSEWHERE: one is open already, from another tab perhaps, on this number or another. */
async function initiate(phone) {
  try {
    return await call("POST", `${path}/initiate_payment`, { phone_number: phone }, { key: newKey() });
  } catch (error) {
    if (error instanceof ApiError && error.code === "PAYMENT_IN_PROGRESS") return ELSEWHERE;
    if (error instanceof ApiError && ["SESSION_CLOSED", "SESSION_EXPIRED"].includes(error.code)) watch();
    throw error;
  }
}

function time() {
  const extend = async (event) => {
    const told = await busy(event.target, call("POST", `${path}/extend_session`, {}, { key: newKey() }));
    if (!told) return;
    session.expires_at = told.expires_at;
    tick();
    say(t("You have more time."));
  };
  return [
    el("p", { class: "soft small" }, t("Time left to pay")),
    left,
    el("button", { type: "button", onclick: extend }, t("More time")),
  ];
}

function tick() {
  const seconds = Math.max(0, Math.round((Date.parse(session.expires_at) - now()) / 1000));
  left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function summary() {
  const { cart_snapshot: cart, delivery_details: to, currency } = session;
  const lines = cart.items.map((line) => [
    `${line.product_name}, ${number(line.quantity)} ${line.unit_of_measure}`,
    line.subtotal,
  ]);
  const more = [
    cart.discount && [t("Code {code}", { code: cart.promo_code }), -cart.discount],
    [t("Delivery"), session.delivery_fee],
    session.rounding && [t("Rounding"), session.rounding],
    [t("To pay"), session.total_amount],
  ];
  return el(
    "aside",
    { class: "panel" },
    el("h2", {}, t("What you buy")),
    bill([...lines, ...more.filter(Boolean)], currency),
    facts([
      [t("For"), to.full_name],
      [t("Where to"), to.detailed_address],
      [t("Day"), to.estimated_delivery_date && day(to.estimated_delivery_date)],
    ]),
  );
}

await start();
