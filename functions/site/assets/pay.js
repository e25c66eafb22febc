// Off to the gateway, and what is needed to find the payment when the customer is back.

import { call, newKey } from "./api.js";
import { link } from "./place.js";
import { busy } from "./ui.js";

const PAYMENT = "payment"; // of this tab: { id, prompted } of the payment that was begun last

/** The payment that this tab began or looked at last: its id, and whether a phone was prompted for it; or null. */
export function lastPayment() {
  try {
    return JSON.parse(sessionStorage.getItem(PAYMENT));
  } catch {
    return null;
  }
}

/** Go to the page that shows what becomes of the payment `id`. */
export function follow(id, prompted = false) {
  sessionStorage.setItem(PAYMENT, JSON.stringify({ id, prompted }));
  return link("/paid");
}

/**
 * Pay for the cart `number` by the gateway `method`, after `button` was pressed: the customer leaves for its page, or is
 * prompted on `phone`.
 */
export async function pay(button, number, method, phone = null) {
  const wanted = { cart_id: number, method, ...(phone && { phone_number: phone }) };
  const payment = await busy(button, call("POST", "/api/payments/process-cart", wanted, { key: newKey() }));
  if (!payment) return;
  const shown = follow(payment.payment_id, Boolean(payment.checkout_request_id));
  // Without an address the gateway's answer was lost, and is being looked up.
  location.assign(/^https?:/.test(payment.payment_url ?? "") ? payment.payment_url : shown);
}
