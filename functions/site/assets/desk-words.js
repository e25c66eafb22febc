// The words of the API, as the shop's own people read them.

import { t } from "./words.js";

const ORDER = {
  confirmed: t("to pack"),
  packed: t("packed"),
  out_for_delivery: t("on its way"),
  delivered: t("delivered"),
  cancelled: t("cancelled"),
};
const BOOKING = { CONFIRMED: t("agreed"), COMPLETED: t("took place"), CANCELLED: t("cancelled") };
const PAYMENT = {
  paid: t("paid"),
  refund_due: t("refund on its way"),
  partially_refunded: t("refunded in part"),
  refunded: t("refunded"),
};
const SESSION = {
  pending: t("not paid yet"),
  payment_initiated: t("asked to pay"),
  paid: t("paid"),
  failed: t("payment failed"),
  expired: t("expired"),
  order_created: t("fulfilled"),
};
const ATTEMPT = {
  created: t("being sent"),
  sent: t("waits for the payer"),
  unknown: t("outcome not known yet"),
  succeeded: t("paid"),
  failed: t("not paid"),
  needs_review: t("needs a person"),
  refund_due: t("goes back"),
};
const REFUND = {
  due: t("about to be sent"),
  sending: t("being sent"),
  accepted: t("taken by the gateway"),
  refunded: t("went back"),
  failed: t("refused"),
  needs_review: t("needs a person"),
};

const word = (words) => (status) => words[status] ?? status;
export const orderWord = word(ORDER);
export const bookingWord = word(BOOKING);
export const paymentWord = word(PAYMENT);
export const sessionWord = word(SESSION);
export const attemptWord = word(ATTEMPT);
export const refundWord = word(REFUND);
export const ORDER_STATUSES = Object.entries(ORDER);
export const BOOKING_STATUSES = Object.entries(BOOKING);
export const SESSION_STATUSES = Object.entries(SESSION);
