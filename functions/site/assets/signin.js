// Who is signed in, for as long as this tab lives: tokens are in no address, no cookie and no lasting store.

import { back, base, link, ownAddress } from "./place.js";

const TOKENS = "tokens"; // { id, refresh } as the sign-in page gave them
const UNDER_WAY = "signing_in"; // { state, verifier, back } until the customer is back from there
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
  sessionStorage.removeItem(TOKENS);
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

/** Go to the sign-in page and come back to `to`. Resolves to false, and goes nowhere, where the shop has none. */
export async function signIn(to = back()) {
  const { page, client_id: client } = await settings();
  if (!page) return false;
  if (page.startsWith("/")) {
    location.assign(`${base}${page}?back=${encodeURIComponent(to)}`);
    return true;
  }
  const [state, verifier] = [random(), random()];
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

/** Back from the sign-in page: take the code out of the address, exchange it, and go on. False where that cannot be. */
export async function finish() {
  const told = new URLSearchParams(location.search);
  const begun = read(UNDER_WAY);
  history.replaceState(null, "", location.pathname);
  sessionStorage.removeItem(UNDER_WAY);
  if (!told.has("code") || !begun || told.get("state") !== begun.state) return false;
  const given = await exchange({
    grant_type: "authorization_code",
    code: told.get("code"),
    redirect_uri: returnAddress(),
    code_verifier: begun.verifier,
  });
  if (!given) return false;
  keep(given.id_token, given.refresh_token);
  location.replace(ownAddress(begun.back));
  return true;
}

/** A new ID token in place of one that is too old; false where there is none to be had. */
export async function renew() {
  const { refresh, since } = read(TOKENS) ?? {};
  if (!refresh || Date.now() - since < JUST_NOW_MS) return false;
  const given = await exchange({ grant_type: "refresh_token", refresh_token: refresh });
  if (given) keep(given.id_token, refresh);
  return Boolean(given);
}

/** Whether the API's refusal of this token is no reason to sign in again: it was given a moment ago. */
export const justSignedIn = () => Date.now() - (read(TOKENS)?.since ?? 0) < JUST_NOW_MS;

/** Forget the tokens, end them where they were given, and go to the shop. */
export async function signOut() {
  const { refresh } = read(TOKENS) ?? {};
  forget();
  const { page, client_id: client } = await settings();
  if (refresh) await post(`${page}/oauth2/revoke`, { token: refresh, client_id: client }).catch(() => null);
  if (!refresh) return location.assign(link("/shop"));
  location.assign(`${page}/logout?${new URLSearchParams({ client_id: client, logout_uri: returnAddress() })}`);
}

const returnAddress = () => `${location.origin}${base}/signed-in`;

async function settings() {
  const answer = await fetch(`${base}/api/config`);
  return (await answer.json()).sign_in;
}

async function exchange(fields) {
  const { page, client_id: client } = await settings();
  const answer = await post(`${page}/oauth2/token`, { ...fields, client_id: client }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

const post = (address, fields) => fetch(address, { method: "POST", body: new URLSearchParams(fields) });

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const write = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}
