// What the pages of the desk share: who may see them, how parts and lists load, and how a step is asked for and taken.

import { call, newKey, now } from "./api.js";
import { link } from "./place.js";
import { signedIn, signIn, signInAnew, signOut, who } from "./signin.js";
import { busy, el, failed, say, show } from "./ui.js";
import { t } from "./words.js";

/** The clocks of the shop's two trades, for instants of what names no zone itself. */
export const ZONES = { order: "Africa/Nairobi", booking: "Asia/Kolkata" };

/** What an operator asks, and what one sends. */
export const read = (path) => call("GET", `/api/operators${path}`);
export const send = (path, body = {}, key = newKey()) => call("POST", `/api/operators${path}`, body, { key });

export const button = (label, onclick, look = "") => el("button", { type: "button", class: look, onclick }, label);
export const soft = (...text) => el("p", { class: "soft" }, text);
export const badge = (text, look = "") => el("span", { class: `badge ${look}` }, text);
/** Pairs of a label and what stands there; those with nothing are left out. */
export const facts = (...pairs) =>
  el(
    "dl",
    {},
    pairs.filter(([, value]) => value).map(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]),
  );
export const phone = (number) => number && el("a", { href: `tel:${number.replace(/[^+\d]/g, "")}` }, number);
/** The page of the payment that goes by `which`; what has no code of its own needs its `customer`. */
export const paymentPage = (which, customer) => link(`/desk/payments/${encodeURIComponent(which)}${query({ customer })}`);
export const param = (name) => new URLSearchParams(location.search).get(name) ?? "";
export const query = (given) => {
  const said = Object.entries(given).filter(([, value]) => value);
  return said.length ? `?${new URLSearchParams(said)}` : "";
};
/** Today, on the clock of one of the shop's trades. */
export const today = (trade) => new Intl.DateTimeFormat("sv", { timeZone: ZONES[trade] }).format(now());
/** The day that is `days` after a day of the calendar. */
export const dayAfter = (iso, days) => new Date(Date.parse(`${iso}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** Fill the page for one of the shop's own people, which the API asks of each request again; others sign in and come back. */
export function open(...parts) {
  if (!signedIn()) return askToSignIn();
  if (!who()?.operator) return notOurs();
  const leave = el(
    "p",
    { class: "soft row noprint" },
    who()?.email ?? "",
    button(t("Sign out"), () => signOut()),
  );
  return show("desk", ...parts.map((part) => part()), leave);
}

function askToSignIn() {
  const said = t("This is the desk of the shop's own people.");
  return show(
    "desk",
    soft(said),
    button(t("Sign in"), (event) => busy(event.currentTarget, signIn()), "main"),
  );
}

/** What a customer sees of the desk: whose it is, and nothing else. */
function notOurs() {
  const again = button(t("Sign in as somebody else"), (event) => busy(event.currentTarget, signInAnew()));
  const said = t("This desk is for the shop's own people; you are signed in as a customer.");
  show(
    "desk",
    el("p", {}, said),
    el("p", { class: "row" }, el("a", { class: "button main", href: link("/shop") }, t("To the shop")), again),
  );
}

/**
 * A part of a page that loads by itself: `load(again)` answers its nodes, and `again` loads them anew. With `follows` it does so
 * whenever something in it has moved on, so that what it counts stays true.
 */
export function section(title, load, { follows = false } = {}) {
  const head = el("h2", { tabindex: "-1" }, title);
  const body = el("div", { "aria-busy": "true" });
  const again = async () => {
    body.setAttribute("aria-busy", "true");
    try {
      const made = await load(again);
      if (body.contains(document.activeElement)) head.focus();
      show(body, made);
    } catch (error) {
      if (error.status === 401) return askToSignIn(); // nor is there a page to which one is sent by itself
      failed(body, error, again);
    }
  };
  if (follows) body.addEventListener("moved", again);
  again();
  return el("section", { "aria-label": title }, head, body);
}

/** How many there are, of what, and where all of them are. */
export const counted = (many, more, of, href) =>
  el(
    "p",
    { class: "row end" },
    el("span", {}, el("strong", { class: "amount" }, more ? `${many}+` : `${many}`), ` ${of}`),
    el("a", { href }, t("All")),
  );

/** A list that goes on: `load(after)` answers `{found, next}`, `shown` makes an entry, and an empty one says `empty`. */
export async function list(load, shown, empty) {
  const items = el("ul", { class: "cards" });
  let after = "";
  const more = button(t("Show more"), next, "wide");
  async function next() {
    const page = after ? await busy(more, load(after)) : await load("");
    if (!page) return;
    const made = page.found.map((each) => el("li", {}, shown(each)));
    items.append(...made);
    if (after) made[0]?.querySelector("a, button")?.focus();
    after = page.next ?? "";
    more.hidden = !after;
  }
  await next();
  return items.children.length || after ? [items, more] : el("p", { class: "empty" }, empty);
}

/** A bar of `part` in `whole`: a picture of a number that stands beside it. */
export function bar(part, whole) {
  const make = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const drawn = make("svg", { class: "drawn-bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  drawn.append(make("rect", { width: whole ? (100 * part) / whole : 0, height: 10 }));
  return drawn;
}

/** The head of a table: what its first column is, and what the numbers in the others are. */
export const heads = (...labels) =>
  el(
    "thead",
    {},
    el(
      "tr",
      {},
      labels.map((label, at) => el("th", { scope: "col", class: at && "number" }, label)),
    ),
  );

/** A button that takes one step at once: `act` asks the API, `done` shows its answer. */
export function step(label, act, done, look = "main") {
  return button(
    label,
    async (event) => {
      const answer = await busy(event.currentTarget, act());
      if (answer) done(answer);
    },
    look,
  );
}

/** Say what was done; with `undo` it can be taken back until something else is done. */
export function told(text, undo = null) {
  document.querySelector(".told")?.remove();
  say(text);
  const bar = el("div", { class: "told card noprint" }, el("span", {}, text));
  const back = undo && step(t("Undo"), undo, () => told(t("Taken back.")), "");
  bar.append(
    el(
      "span",
      { class: "row" },
      ...[back].filter(Boolean),
      button(t("Close"), () => bar.remove()),
    ),
  );
  document.body.append(bar);
  if (!undo) setTimeout(() => bar.remove(), 8000);
}

let pressed = null; // a button that is busy loses the focus, and gets it back after its dialog, however often that asks
const press = (button) => button?.closest("dialog") || (pressed = button);
document.addEventListener("click", (event) => press(event.target.closest("button")), true);

const DOUBLE_TAP_MS = 700;

/**
 * Show `fresh`, the card of what `data-of` names, in place of the one before, and tell that it has moved on by `moved`. Its
 * buttons can be pressed a little later: the second of two taps is no second step.
 */
export function replaceCard(fresh) {
  const before = document.querySelector(`[data-of="${CSS.escape(fresh.dataset.of)}"]`);
  if (!before) return;
  const hadFocus = before.contains(document.activeElement) || document.activeElement === document.body;
  const buttons = [...fresh.querySelectorAll("button:enabled")];
  for (const each of buttons) each.disabled = true;
  before.replaceWith(fresh);
  setTimeout(() => {
    for (const each of buttons) each.disabled = false;
    if (hadFocus && document.activeElement === document.body) {
      fresh.querySelector("a, button")?.focus({ preventScroll: true });
    }
  }, DOUBLE_TAP_MS);
  fresh.dispatchEvent(new CustomEvent("moved", { bubbles: true }));
}

/** A labelled field of a form; with `options` a choice of `[value, text]`. */
export function field({ name, label, options = null, hint = "", ...attributes }) {
  const made = options
    ? el(
        "select",
        { name, ...attributes },
        options.map(([value, text]) => el("option", { value, selected: value === attributes.value }, text)),
      )
    : el("input", { name, autocomplete: "off", ...attributes });
  return el("label", {}, el("span", {}, label), made, hint && el("small", { class: "soft" }, hint));
}

/** The form by whose `fields` the page at `path` chooses what it shows; `more` stands behind its button. */
export const filter = (path, fields, ...more) =>
  el(
    "form",
    { class: "filter noprint", action: link(path).split("?")[0] },
    fields,
    el("button", { type: "submit" }, t("Show")),
    more,
  );

/** The reason that an operator gives. */
export const why = (value = "") =>
  field({ name: "why", label: t("Why (only the shop's own people read it)"), required: true, maxlength: 300, value });

/**
 * What `sent`, a request that says what goes back, answers; `{ changed: true }` where something else would by now. Who asked then
 * asks anew, with the amount as it is, what was given so far, and CHANGED.
 */
export const unlessChanged = (sent) =>
  sent.catch((error) => {
    if (error.code !== "REFUND_CHANGED") throw error;
    return { changed: true };
  });
export const CHANGED = t("What goes back has changed meanwhile; this is what it is now.");

/**
 * Say what is about to happen, and ask. `agree` is what the button says, of the values so far where it is a function;
 * `act(values, key)` asks the API, and what is refused is said in the dialog, which stays open. The same values again have the
 * same key, so that they are done once; a refusal ends that, for what was refused may be
 * allowed by now. Resolves to what `act` answered, null where the person turned back.
 */
export function ask({ title, says, fields = [], agree, act, bad = false }) {
  const go = el("button", { type: "submit", class: bad ? "bad" : "main" });
  const turn = button(t("Not now"), () => box.close());
  const form = el(
    "form",
    {},
    el("h2", {}, title),
    [says].flat().map((line) => line && el("p", {}, line)),
    fields,
  );
  form.append(el("p", { class: "row" }, go, turn));
  const box = el("dialog", { "aria-label": title }, form);
  const values = () => Object.fromEntries(new FormData(form));
  const label = () => go.replaceChildren(typeof agree === "function" ? agree(values()) : agree);
  const opener = pressed;
  form.addEventListener("input", label);
  document.body.append(box);
  label();

  return new Promise((resolve) => {
    let [answer, sent, key] = [null, "", ""];
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const given = values();
      if (sent !== JSON.stringify(given)) [sent, key] = [JSON.stringify(given), newKey()];
      const told = act(given, key).catch((error) => {
        if (error.status > 0 && error.status < 500) sent = "";
        throw error;
      });
      answer = (await busy(go, told)) ?? null;
      if (answer) box.close();
    });
    box.addEventListener("close", () => {
      box.remove();
      if (opener?.isConnected) opener.focus();
      resolve(answer);
    });
    box.showModal();
  });
}
