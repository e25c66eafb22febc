// The shop's API, with the token of whoever is signed in.

import { ApiError } from "./errors.js";
import { base } from "./place.js";
import { forget, justSignedIn, renew, signedIn, signIn, token } from "./signin.js";

const TRIES = 5;
const FIRST_PAUSE_MS = 600;
const LONGEST_PAUSE_MS = 8000;
const REQUEST_MS = 30000;

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
    const sent = token();
    const answer = await send(method, path, body, { sent, key, signal });
    if (answer.ok) return answer.told;
    signal?.throwIfAborted();
    const passing = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    const running = answer.told.error_code === "REQUEST_IN_PROGRESS";
    if (answer.status === 401 && (await renewed(sent))) continue;
    const wait = pause(attempt, answer.after);
    if (!again || !(passing || running) || attempt >= TRIES || wait > LONGEST_PAUSE_MS) {
      throw new ApiError(answer.status, answer.told, answer.after);
    }
    await sleep(wait, signal);
  }
}

/** A key for one press of a button. */
export const newKey = () => crypto.randomUUID();

async function send(method, path, body, { sent, key, signal }) {
  const headers = { Accept: "application/json" };
  if (sent) headers.Authorization = `Bearer ${sent}`;
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

/**
 * After 401 for the token `sent`: whether there is a new one, had without the customer; who has none goes to sign in and comes
 * back here. Where the sign-in page cannot be reached, that is an ApiError, and the customer stays signed in.
 */
async function renewed(sent) {
  if (signedIn() && token() !== sent) return true; // another request was refused before this one
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
