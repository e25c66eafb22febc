// Off to the gateway's own page, and what is needed to find the payment when the customer is back.

import { call, newKey } from "./api.js";
import { link } from "./place.js";
import { busy } from "./ui.js";

const PAYMENT = "payment"; // of this tab: the id of the payment that was begun last

/** The payment that this tab began last, or null. */
export const lastPayment = () => sessionStorage.getItem(PAYMENT);

/** Pay for the cart `number` by the gateway `method`, after `button` was pressed: the customer leaves for its page. */
export async function pay(button, number, method) {
  const payment = await busy(button, call("POST", "/api/payments/process-cart", { cart_id: number, method }, { key: newKey() }));
  if (!payment) return;
  sessionStorage.setItem(PAYMENT, payment.payment_id);
  if (payment.checkout_request_id) location.assign(link(`/checkout/${payment.payment_id}`));
  else if (payment.payment_url && /^https?:/.test(payment.payment_url)) location.assign(payment.payment_url);
  else location.assign(link("/paid")); // the gateway's answer was lost, and is being looked up
}
