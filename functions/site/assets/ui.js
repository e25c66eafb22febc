// What pages are made of. Text from the API is text wherever it goes: there is no way from here to markup.

import { ApiError } from "./errors.js";
import { link } from "./place.js";
import { t } from "./words.js";

const language = document.documentElement.lang;
const SAFE = /^(https?:|tel:|mailto:|[/?#])/i;

/** An element with attributes (`onclick` and its like are functions) and children: nodes, texts, lists of them, or nothing. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if ((name === "href" || name === "src") && !SAFE.test(value)) continue;
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Put `children` in place of what is in `where`, an element or its id. */
export function show(where, ...children) {
  const place = typeof where === "string" ? document.getElementById(where) : where;
  place.replaceChildren(...children.flat(3).filter(Boolean));
  place.removeAttribute("aria-busy");
  return place;
}

/** An amount ("350.00") as people here write it. */
export function money(text, currency) {
  return new Intl.NumberFormat(language, { style: "currency", currency }).format(Number(text));
}

/** An instant, by the clock of `zone`. */
export function when(instant, zone) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: zone }).format(
    new Date(instant),
  );
}

/** A day of the calendar ("2026-01-31"), wherever it is read. */
export function day(isoDate, style = { dateStyle: "full" }) {
  return new Intl.DateTimeFormat(language, { ...style, timeZone: "UTC" }).format(new Date(`${isoDate}T00:00:00Z`));
}

/** A time of the day ("09:00:00") as people here write it. */
export function clock(time) {
  return new Intl.DateTimeFormat(language, { timeStyle: "short", timeZone: "UTC" }).format(
    new Date(`1970-01-01T${time.slice(0, 5)}Z`),
  );
}

/** An address in one line, whether it is a text or comes in parts. */
export const written = (address) => (address && typeof address === "object" ? Object.values(address).join(", ") : address);

/** Say something to who cannot see that it changed. */
export function say(message) {
  document.getElementById("said").textContent = message;
}

/** Say for as long as it lasts that there is no network. */
function connection() {
  document.getElementById("offline")?.remove();
  if (navigator.onLine) return;
  const words = t("You are offline. This page goes on by itself as soon as the network is back.");
  document.getElementById("main").prepend(el("p", { class: "note warn", id: "offline", role: "alert" }, words));
}
addEventListener("offline", connection);
addEventListener("online", connection);
connection();

/** A sentence that stands out; `kind` is "good", "bad" or nothing. */
export function note(message, kind = "") {
  return el("p", { class: `note ${kind}` }, message);
}

/** `button` cannot be pressed while `promise` is under way; what it rejects with is shown beside it, and undefined comes back. */
export async function busy(button, promise) {
  const beside = button.closest("form, .panel, .card, main") ?? document.body;
  beside.querySelector(":scope .note.refused")?.remove();
  const focused = document.activeElement === button;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await promise;
  } catch (error) {
    refuse(button, error);
    return undefined;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    if (focused && document.activeElement === document.body) button.focus(); // which was lost while it could not be pressed
  }
}

/** What to say of an error; one of ours is for the console. */
export function sentence(error) {
  if (error instanceof ApiError) return error.message;
  console.error(error);
  return t("Something went wrong on our side; please try again.");
}

/** Show what was refused beside `button`, and at the field that it is about. */
export function refuse(button, error) {
  const message = sentence(error);
  const said = el("p", { class: "note bad refused", role: "alert", id: `refused-${crypto.randomUUID()}` }, message);
  button.after(said);
  const field = error.field && button.form?.elements.namedItem(error.field.split(".").pop());
  if (field instanceof HTMLElement) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", said.id);
    const right = () => ["aria-invalid", "aria-describedby"].forEach((each) => field.removeAttribute(each));
    field.addEventListener("input", right, { once: true });
    field.focus();
  }
}

/** A page that cannot be shown: what happened, and another try, by itself once the network is back, or where else to look. */
export function failed(where, error, again) {
  const message = sentence(error);
  const retry = el("button", { type: "button", onclick: again }, t("Try again"));
  if (error.status === 0) addEventListener("online", () => retry.isConnected && again(), { once: true });
  const next =
    error.status === 404
      ? [
          el("p", {}, t("Perhaps it was bought by somebody else, or you signed in under another name.")),
          el("a", { class: "button", href: link("/me") }, t("My orders and bookings")),
        ]
      : retry;
  show(where, note(message, "bad"), el("div", {}, next));
  say(message);
}

/** A heading to which the keyboard goes on, after something was chosen and what was chosen from is gone. */
export function headed(tag, words) {
  const made = el(tag, { tabindex: "-1" }, words);
  queueMicrotask(() => made.focus());
  return made;
}

/**
 * Ask until `until(answer)`; resolves to that answer. The pause grows from `first` to `most` milliseconds; nothing is asked
 * while nobody sees the page, and at once when somebody does or the network is back. `seen` gets each answer. Trouble that may
 * pass is waited out; what the API refuses is thrown.
 */
export async function poll(ask, { until, seen = () => {}, first = 1500, most = 10000, signal = null } = {}) {
  for (let pause = first; ; pause = Math.min(most, pause * 1.4)) {
    await visible(signal);
    try {
      const answer = await ask();
      seen(answer);
      if (until(answer)) return answer;
    } catch (error) {
      signal?.throwIfAborted();
      const passing = error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
      if (!passing) throw error;
      say(error.message);
    }
    await woken(signal, pause * (0.8 + Math.random() * 0.4));
  }
}

function visible(signal) {
  return document.visibilityState === "visible" ? Promise.resolve() : woken(signal);
}

/** Resolves when the page is seen again or the network is back, after `most` milliseconds at the latest. */
function woken(signal, most = null) {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const over = new AbortController(); // takes all the listeners away, whichever was called
    const end = (settle) => {
      over.abort();
      clearTimeout(timer);
      settle();
    };
    const timer = most === null ? null : setTimeout(end, most, resolve);
    const seen = () => document.visibilityState === "visible" && end(resolve);
    document.addEventListener("visibilitychange", seen, { signal: over.signal });
    addEventListener("online", seen, { signal: over.signal });
    signal?.addEventListener("abort", () => end(() => reject(signal.reason)), { signal: over.signal });
  });
}

/** A number as people here write it. */
export const number = (value) => new Intl.NumberFormat(language, { maximumFractionDigits: 3 }).format(Number(value));
