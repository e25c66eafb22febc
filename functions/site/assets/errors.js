// What is said of requests that did not do what they were to do.

import { sentence, t } from "./words.js";

/** What the API refuses, or that it cannot be reached (`status` 0). `message` is for people, in the page's language where it can be. */
export class ApiError extends Error {
  constructor(status, told = {}, after = 0) {
    super(words(status, told, after));
    this.status = status;
    this.code = told.error_code ?? "";
    this.errors = fieldsOf(told);
    this.field = Object.keys(this.errors)[0] ?? null;
    this.next_step = told.next_step ?? null;
    this.told = told;
  }
}

/** What is wrong with each field: { name: [sentence] }. Document B has them in `errors`, document A beside the code. */
function fieldsOf(told) {
  const listed = Object.entries(told.errors ?? told).filter(
    ([, said]) => Array.isArray(said) && typeof said[0] === "string",
  );
  return Object.fromEntries(listed);
}

/** What is said of refusals whose own sentence names numbers, and is in English alone. */
const SAID = {
  EXTENSION_LIMIT: sentence("It has been made longer as often as is possible."),
  PRICE_CHANGED: sentence("A price has changed since. Nothing was charged; please look at your basket again."),
  PAYMENT_IN_PROGRESS: sentence("A payment for this is under way already. Finish it, or wait a minute or two."),
  SESSION_EXPIRED: sentence("The time to pay is over. Your basket is still there; please start again."),
  CART_EMPTY: sentence("Your basket is empty."),
  SLOT_TOO_FAR: sentence("This day is too far ahead; please choose an earlier one."),
  RESCHEDULE_LIMIT: sentence("This booking has been moved as often as is possible."),
  REFUND_CHANGED: sentence("What you would get back has changed. Please look again before you decide."),
};

function words(status, told, after) {
  if (told.error_code in SAID) return t(SAID[told.error_code]);
  if (status === 0) return t("The shop cannot be reached. Look at your connection, and try again.");
  const fields = Object.values(fieldsOf(told)).flat();
  const said = fields.length
    ? fields
    : [told.message ?? told.details ?? told.error].filter((each) => typeof each === "string");
  const all = said.length ? said.map((each) => t(each)) : [t("Something went wrong on our side; please try again.")];
  if (status === 429 && after > 0) all.push(t("Try again in {seconds} seconds.", { seconds: Math.ceil(after / 1000) }));
  return [...new Set(all)].join(" ");
}
