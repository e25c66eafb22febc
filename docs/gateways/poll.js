"use strict";

/** The states after which the status of a session does not change by itself any more. */
const FINAL_STATES = Object.freeze(["order_created", "failed", "expired"]);

/**
 * Ask how a payment session is doing until it has ended.
 *
 * Resolves to one of the following; it rejects only with what `onStatus` throws.
 *   { outcome: "order_created" | "failed" | "expired", session }  it has ended; `session` is the API's whole answer
 *   { outcome: "unknown", reason: "time", session }       no end within `limitMs`: tell the customer to look again later
 *   { outcome: "unknown", reason: "refused", status, session }  the API refuses us (signed out, not this customer's session)
 *   { outcome: "unknown", reason: "stopped", session }    `signal` was aborted, for instance because the page is left
 * where `session` is the last answer that there was, or null. "unknown" never means that nothing was paid.
 *
 * options:
 *   url         of the status, for instance `/api/payments/sessions/${id}/status/`
 *   token       the customer's ID token, or a function (it may be async) that gives a fresh one for each request
 *   onStatus    called with each answer, for a page that shows progress
 *   signal      an AbortSignal that ends the waiting
 *   firstWaitMs, longestWaitMs, growth   the pause between questions, and how it grows
 *   limitMs     when to give up; the default outlives a session of 15 minutes
 *   requestMs   how long one question may take
 *   fetch, clock, random   for tests
 */
async function pollSession(options) {
  const { url, token, onStatus = () => {}, signal = new AbortController().signal } = options;
  const { firstWaitMs = 2000, longestWaitMs = 15000, growth = 1.5 } = options;
  const { limitMs = 20 * 60 * 1000, requestMs = 10000 } = options;
  const { fetch: ask = globalThis.fetch, clock = realClock, random = Math.random } = options;

  const endsAt = clock.now() + limitMs;
  let pauseMs = firstWaitMs;
  let session = null;

  for (;;) {
    const answer = await askOnce(ask, url, token, signal, Math.min(requestMs, Math.max(1, endsAt - clock.now())));
    if (signal.aborted) {
      return { outcome: "unknown", reason: "stopped", session };
    }
    if (answer.session) {
      session = answer.session;
      onStatus(session);
      if (FINAL_STATES.includes(session.session_status)) {
        return { outcome: session.session_status, session };
      }
    }
    if (answer.refused) {
      return { outcome: "unknown", reason: "refused", status: answer.refused, session };
    }
    // After trouble, customers must not all come back at the same moment.
    const waitMs = answer.session ? pauseMs : Math.max(answer.retryAfterMs, pauseMs * (1 + random()));
    if (clock.now() + waitMs >= endsAt) {
      return { outcome: "unknown", reason: "time", session };
    }
    await clock.wait(waitMs, signal);
    if (signal.aborted) {
      return { outcome: "unknown", reason: "stopped", session };
    }
    pauseMs = Math.min(pauseMs * growth, longestWaitMs);
  }
}

/** One question: `{ session }`, `{ refused: status }`, or `{ retryAfterMs }` after trouble that may pass. */
async function askOnce(ask, url, token, signal, requestMs) {
  const gone = new AbortController();
  const leave = () => gone.abort();
  const timer = setTimeout(leave, requestMs);
  signal.addEventListener("abort", leave);
  try {
    const bearer = typeof token === "function" ? await token() : token;
    const response = await ask(url, {
      headers: { Authorization: `Bearer ${bearer}`, Accept: "application/json" },
      cache: "no-store",
      signal: gone.signal,
    });
    if (response.ok) {
      const session = await response.json();
      return typeof session?.session_status === "string" ? { session } : { retryAfterMs: 0 };
    }
    const mayPass = response.status >= 500 || response.status === 408 || response.status === 429;
    if (!mayPass) {
      return { refused: response.status };
    }
    const seconds = Number(response.headers.get("Retry-After"));
    return { retryAfterMs: seconds > 0 ? seconds * 1000 : 0 };
  } catch {
    // No network, no answer in time, or no JSON: the payment goes on without us, so we ask again.
    return { retryAfterMs: 0 };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}

const realClock = Object.freeze({
  now: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
    }),
});
