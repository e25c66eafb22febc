// Off to the gateway, and what is needed to find the payment when the customer is back.

import { call, newKey } from "./api.js";
import { link, store } from "./place.js";
import { within } from "./frame.js";
import { busy } from "./ui.js";

const PAYMENT = "payment"; // of this tab: { id, prompted } of the payment that was begun last

/** The payment that this tab began or looked at last: its id, and whether a phone was prompted for it; or null. */
export function lastPayment() {
  try {
    return JSON.parse(store.getItem(PAYMENT));
  } catch {
    return null;
  }
}

/** Go to the page that shows what becomes of the payment `id`. */
export function follow(id, prompted = false) {
  store.setItem(PAYMENT, JSON.stringify({ id, prompted }));
  return link("/paid");
}

/**
 * Pay for the cart `number` by the gateway `method`, after `button` was pressed: the customer leaves for its page, which its
 * own `script` shows here if there is one, or is prompted on `phone`.
 */
export async function pay(button, number, method, phone = null, script = null) {
  const wanted = { cart_id: number, method, ...(phone && { phone_number: phone }) };
  const payment = await busy(button, once("/api/payments/process-cart", wanted));
  if (!payment) return;
  const shown = follow(payment.payment_id, Boolean(payment.checkout_request_id));
  // Without an address the gateway's answer was lost, and is being looked up.
  const page = /^https?:/.test(payment.payment_url ?? "") ? payment.payment_url : null;
  const stays = page && script && (await within(button, script, page, shown));
  if (!stays) leave(button, page ?? shown);
}

let unanswered = {}; // what was sent, with its key, while nobody knows whether it was done

/** POST `body` once: pressed again after a lost answer, the same is sent under the same key. A refusal ends that. */
export async function once(path, body) {
  const sent = JSON.stringify([path, body]);
  if (unanswered.sent !== sent) unanswered = { sent, key: newKey() };
  try {
    const told = await call("POST", path, body, { key: unanswered.key });
    unanswered = {};
    return told;
  } catch (error) {
    if (error.status > 0 && error.status < 500) unanswered = {};
    throw error;
  }
}

/** Go to `address`; `button` cannot be pressed again unless the customer comes back to this page. */
export function leave(button, address) {
  button.disabled = true;
  addEventListener("pageshow", () => (button.disabled = false), { once: true });
  location.assign(address);
}
