// Who is signed in, for as long as this tab lives: tokens are in no address, no cookie and no lasting store.

import { ApiError } from "./errors.js";
import { back, base, link, ownAddress, store } from "./place.js";

const TOKENS = "tokens"; // { id, refresh } as the sign-in page gave them
const UNDER_WAY = "signing_in"; // { state, verifier, back } until the customer is back from there; { back } from signing out there
const OF_A_CUSTOMER = [TOKENS, UNDER_WAY, "payment", "wanted"]; // what the tab remembers of who is signed in
const PATIENCE_MS = 30000;
const JUST_NOW_MS = 15000;

/** The ID token, or null. */
export const token = () => read(TOKENS)?.id ?? null;

/** Whether somebody has signed in; the API may still refuse a token that is too old. */
export const signedIn = () => token() !== null;

/** Keep a new ID token, and what makes another one if there is such a thing. */
export function keep(id, refresh = null) {
  write(TOKENS, { id, refresh, since: Date.now() });
}

/** Forget who was signed in. */
export function forget() {
  store.removeItem(TOKENS);
}

/** Who is signed in: { sub, name, email, phone, operator }, or null. What it says is for show; the API looks for itself. */
export function who() {
  try {
    const part = token().split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (each) => each.charCodeAt(0));
    const told = JSON.parse(new TextDecoder().decode(bytes));
    const { sub, name, email, phone_number: phone } = told;
    return { sub, name, email, phone, operator: [].concat(told["cognito:groups"] ?? []).includes("operators") };
  } catch {
    return null;
  }
}

let secrets = null; // of this page's way to sign in: several requests that are refused at once go the same way

/**
 * Go to the sign-in page and come back to `to`. Resolves to false, and goes nowhere, where the shop has none; rejects with an
 * ApiError where that cannot be found out.
 */
export async function signIn(to = back()) {
  const { page, client_id: client } = await settings();
  if (!page) return false;
  if (page.startsWith("/")) {
    location.assign(`${base}${page}?back=${encodeURIComponent(to)}`);
    return true;
  }
  secrets ??= { state: random(), verifier: random() };
  const { state, verifier } = secrets;
  write(UNDER_WAY, { state, verifier, back: to });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: returnAddress(),
    scope: "openid email profile",
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  location.assign(`${page}/oauth2/authorize?${asked}`);
  return true;
}

/**
 * Back from the sign-in page: take the code out of the address and exchange it. Resolves to { back, done, again, error }: where the
 * customer was going, whether they are signed in, whether they only signed out to sign in as somebody else; and `error`, an
 * ApiError, where the sign-in page cannot be reached.
 */
export async function finish() {
  const told = new URLSearchParams(location.search);
  const begun = read(UNDER_WAY);
  history.replaceState(null, "", location.pathname);
  store.removeItem(UNDER_WAY);
  const found = { back: ownAddress(begun?.back ?? link("/shop")), done: false, again: Boolean(begun && !begun.state) };
  if (!told.has("code") || !begun?.state || told.get("state") !== begun.state) return found;
  try {
    const given = await exchange({
      grant_type: "authorization_code",
      code: told.get("code"),
      redirect_uri: returnAddress(),
      code_verifier: begun.verifier,
    });
    if (given) keep(given.id_token, given.refresh_token);
    return { ...found, done: Boolean(given) };
  } catch (error) {
    return { ...found, error };
  }
}

let renewing = null; // one renewal at a time, whoever asks for it

/** A new ID token in place of one that is too old; false where there is none to be had. Rejects where that cannot be asked. */
export function renew() {
  renewing ??= another().finally(() => (renewing = null));
  return renewing;
}

async function another() {
  const { refresh, since } = read(TOKENS) ?? {};
  if (!refresh || Date.now() - since < JUST_NOW_MS) return false;
  const given = await exchange({ grant_type: "refresh_token", refresh_token: refresh });
  if (given) keep(given.id_token, given.refresh_token ?? refresh);
  return Boolean(given);
}

/** Whether the API's refusal of this token is no reason to sign in again: it was given a moment ago. */
export const justSignedIn = () => Date.now() - (read(TOKENS)?.since ?? 0) < JUST_NOW_MS;

/** Forget who was signed in and what they were doing, end the tokens where they were given, and go to the shop. */
export function signOut() {
  return leave(null);
}

/** The same, then to the sign-in page, which asks who it is, and back to `to`. */
export function signInAnew(to = back()) {
  return leave(to);
}

async function leave(to) {
  const { refresh } = read(TOKENS) ?? {};
  for (const name of OF_A_CUSTOMER) store.removeItem(name);
  if (!refresh) return to ? signIn(to) : location.assign(link("/shop"));
  const { page, client_id: client } = await settings().catch(() => ({}));
  if (!page) return location.assign(link("/shop"));
  await post(`${page}/oauth2/revoke`, { token: refresh, client_id: client }).catch(() => null);
  if (to) write(UNDER_WAY, { back: to });
  location.assign(`${page}/logout?${new URLSearchParams({ client_id: client, logout_uri: returnAddress() })}`);
}

const returnAddress = () => `${location.origin}${base}/signed-in`;

async function settings() {
  const answer = await reach(`${base}/api/config`);
  if (!answer.ok) throw new ApiError(answer.status);
  return (await answer.json()).sign_in;
}

/** What the sign-in page gives, or null where it refuses: only then is what was shown to it worth nothing. */
async function exchange(fields) {
  const { page, client_id: client } = await settings();
  const answer = await post(`${page}/oauth2/token`, { ...fields, client_id: client });
  if (answer.ok) return answer.json();
  if ([400, 401].includes(answer.status)) return null;
  throw new ApiError(answer.status);
}

const post = (address, fields) => reach(address, { method: "POST", body: new URLSearchParams(fields) });

async function reach(address, options = {}) {
  try {
    return await fetch(address, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new ApiError(0);
  }
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const write = (name, value) => store.setItem(name, JSON.stringify(value));

function read(name) {
  try {
    return JSON.parse(store.getItem(name));
  } catch {
    return null;
  }
}
