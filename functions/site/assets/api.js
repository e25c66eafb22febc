// The shop's API, with the token of whoever is signed in.

import { base } from "./place.js";
import { forget, justSignedIn, renew, signedIn, signIn, token } from "./signin.js";
import { sentence, t } from "./words.js";

const TRIES = 5;
const FIRST_PAUSE_MS = 600;
const LONGEST_PAUSE_MS = 8000;
const REQUEST_MS = 30000;

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

let skew = 0;

/** The instant by the shop's clock, in milliseconds: that of a phone may be wrong by hours. */
export const now = () => Date.now() + skew;

/**
 * What the API answers, or an ApiError. GETs are sent again after lost networks, 429 and 5xx; a POST only with a `key`, made
 * once for each press of a button: the API does it once, however often it arrives. `signal` ends it all.
 */
export async function call(method, path, body, { key = null, signal = null } = {}) {
  const again = method === "GET" || key !== null;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send(method, path, body, key, signal);
    if (answer.ok) return answer.told;
    signal?.throwIfAborted();
    const passing = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    const running = answer.told.error_code === "REQUEST_IN_PROGRESS";
    if (answer.status === 401 && (await renewed())) continue;
    const wait = pause(attempt, answer.after);
    if (!again || !(passing || running) || attempt >= TRIES || wait > LONGEST_PAUSE_MS) {
      throw new ApiError(answer.status, answer.told, answer.after);
    }
    await sleep(wait, signal);
  }
}

/** A key for one press of a button. */
export const newKey = () => crypto.randomUUID();

async function send(method, path, body, key, signal) {
  const headers = { Accept: "application/json" };
  if (signedIn()) headers.Authorization = `Bearer ${token()}`;
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined && body !== null) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(REQUEST_MS);
  try {
    const answer = await fetch(base + path, {
      method,
      headers,
      body: body === undefined || body === null ? undefined : JSON.stringify(body),
      signal: signal && AbortSignal.any ? AbortSignal.any([signal, limit]) : (signal ?? limit),
      cache: "no-store",
    });
    const told = await answer.json().catch(() => ({}));
    skew = Date.parse(answer.headers.get("Date")) - Date.now() || 0;
    return { ok: answer.ok, status: answer.status, told, after: Number(answer.headers.get("Retry-After")) * 1000 };
  } catch {
    return { ok: false, status: 0, told: {}, after: 0 };
  }
}

/** After 401: whether a new token could be had without the customer; who has none goes to sign in and comes back here. */
async function renewed() {
  if (await renew()) return true;
  const refusedAtOnce = signedIn() && justSignedIn();
  forget();
  if (!refusedAtOnce && (await signIn())) await new Promise(() => {}); // the page is being left
  return false;
}

/** How long to wait before another try: as long as was asked for, else longer each time, and not for everybody the same. */
function pause(attempt, after) {
  return after > 0
    ? after
    : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

/** Wait, or reject as soon as `signal` says so. */
export function sleep(ms, signal = null) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
