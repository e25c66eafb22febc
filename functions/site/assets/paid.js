// Back from the gateway's page: which payment was it, and what came of it?

import { call } from "./api.js";
import { isFinal, outcome } from "./outcome.js";
import { lastPayment, pay } from "./pay.js";
import { link } from "./place.js";
import { signedIn, signIn } from "./signin.js";
import { el, failed, money, note, poll, say, show } from "./ui.js";
import { t } from "./words.js";

const place = document.getElementById("paid");

async function start() {
  if (!signedIn()) {
    const sentence = t(
      "Sign in, and we show what became of your payment. Whatever it is, it does not depend on this page.",
    );
    show(
      place,
      note(sentence),
      el("p", {}, el("button", { class: "main", type: "button", onclick: () => signIn() }, t("Sign in"))),
    );
    return;
  }
  try {
    const number = lastPayment()?.id ?? (await newest());
    if (number === null) {
      show(
        place,
        note(t("We know of no payment of yours. Nothing was booked.")),
        el("p", {}, el("a", { class: "button main", href: link("/shop") }, t("To the shop"))),
      );
      return;
    }
    const payment = await call("GET", `/api/payments/${encodeURIComponent(number)}`);
    const { gateways } = await call("GET", "/api/config");
    payment.prompts = gateways.find((each) => each.name === payment.method)?.prompts_phone;
    const path = `/api/payments/sessions/${payment.payment_id}/status`;
    const watch = (most, until) =>
      poll(() => call("GET", path), { until, seen: (told) => draw(payment, told), first: 1500, most });
    const ended = ({ session_status: status }) => isFinal(status);
    await watch(10000, (told) => told.session_status === "paid" || ended(told));
    await watch(60000, ended); // what is paid is booked soon, or seen to by the shop
  } catch (error) {
    failed(place, error, start);
  }
}

/** The newest payment of who is signed in, for a browser that lost its session; null where there is none. */
async function newest() {
  const found = await call("GET", "/api/payments?page_size=1");
  return found.results[0]?.payment_id ?? null;
}

let drawn = "";

function draw(payment, told) {
  const seen = JSON.stringify(told);
  if (seen === drawn) return;
  drawn = seen;
  const shown = isFinal(told.session_status)
    ? outcome(told, payment.currency, again(payment))
    : [
        note(under(told)),
        el(
          "p",
          { class: "soft" },
          t(
            "This takes a few seconds, now and then some minutes. You may close this page: the booking is made by itself, and stands with your bookings.",
          ),
        ),
      ];
  show(place, el("p", { class: "amount" }, money(payment.amount, payment.currency)), shown);
  say(place.querySelector(".note")?.textContent ?? "");
}

function under(told) {
  if (told.session_status === "paid") return t("Paid. One moment: your booking is being made.");
  return lastPayment()?.prompted
    ? t("Look at your phone: a request to pay waits there.")
    : t("We are checking whether the payment went through.");
}

/** Another try: at once on a gateway's page; where a phone is prompted, on the page that knows its number. */
function again(payment) {
  const { cart_id: cart, payment_id: number } = payment;
  if (cart === null || payment.prompts) {
    const where = cart === null ? link(`/checkout/${number}`) : `${link("/shop")}#cart=${cart}`;
    return [el("p", {}, el("a", { class: "button main", href: where }, t("Try again")))];
  }
  return [
    el(
      "p",
      {},
      el(
        "button",
        { class: "main", type: "button", onclick: (event) => pay(event.target, payment.cart_id, payment.method) },
        t("Try again"),
      ),
    ),
  ];
}

await start();
