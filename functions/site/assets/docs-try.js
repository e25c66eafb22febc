// One operation of the API: its line of curl, and the request sent from here, with the token of this tab's session.

import { base } from "./place.js";
import { renew, signedIn, signIn, signInAnew, signOut, token, who } from "./signin.js";
import { busy, el, note, say, show } from "./ui.js";

const REQUEST_MS = 30000;
const MOST_SHOWN = 100_000; // characters of an answer
const SHOWN = ["content-type", "location", "allow", "retry-after", "cache-control", "www-authenticate", "x-amzn-requestid"];
const form = document.getElementById("try");
const { method, path } = form.dataset;
const is = (name) => name in form.dataset;
const inputs = [...form.querySelectorAll("[data-in]")];
const body = form.elements.body ?? null;
const key = inputs.find((each) => each.dataset.in === "header") ?? null;
const of = (kind) => inputs.filter((each) => each.dataset.in === kind);

/** Where the request goes, below the shop's own address; `shown(input)` is what stands for each of its parts. */
function address(shown) {
  const parts = Object.fromEntries(of("path").map((each) => [each.name, shown(each)]));
  const asked = of("query").filter((each) => each.value);
  const query = asked.length ? `?${new URLSearchParams(asked.map((each) => [each.name, each.value]))}` : "";
  return base + path.replace(/\{(\w+)\}/g, (whole, name) => (parts[name] ? encodeURIComponent(parts[name]) : whole)) + query;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** What one types to send the same; the token is a variable of the shell's, and never stands here. */
function curl() {
  const sent = body && (body.value.trim() || body.dataset.example);
  const lines = [
    `curl ${method === "GET" ? "" : `-X ${method} `}${quoted(location.origin + address((each) => each.value || each.dataset.example))}`,
    !is("public") && `-H "Authorization: Bearer $TOKEN"`,
    sent && `-H ${quoted("Content-Type: application/json")}`,
    sent && `-d ${quoted(compact(sent))}`,
  ];
  return lines.filter(Boolean).join(" \\\n  ");
}

function compact(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text; // no JSON, which the API will say
  }
}

const told = document.getElementById("curl");
const draw = () => (told.textContent = curl());

async function copy(event) {
  const pressed = event.currentTarget;
  try {
    await navigator.clipboard.writeText(curl());
    pressed.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(told); // for the keys that copy, where pages may not
    pressed.textContent = "Marked: copy it with the keyboard";
  }
  say(pressed.textContent);
  setTimeout(() => (pressed.textContent = "Copy"), 4000);
}

/** Who the request comes from, and how to be somebody else. */
function drawWho() {
  const button = (words, act) => el("button", { type: "button", onclick: (event) => busy(event.currentTarget, act()) }, words);
  if (is("public")) return show("who", el("p", {}, "No token is sent."));
  if (!signedIn()) {
    const said = el("p", {}, "Nobody is signed in: the API will answer 401.");
    return show("who", el("div", { class: "row" }, said, button("Sign in", () => leave(said))));
  }
  const { name, email, phone, sub, operator } = who() ?? {};
  const said = `Sent as ${name ?? email ?? phone ?? sub ?? "who is signed in"}${operator ? ", one of the shop's own people" : ""}.`;
  const theirs = is("operators") && !operator;
  return show(
    "who",
    el("p", { class: "row" }, said, button("Sign in as somebody else", signInAnew), button("Sign out", signOut)),
    theirs && note("Only the shop's own people find anything here; to everybody else this path does not exist.", "warn"),
  );
}

async function leave(said) {
  if ((await signIn()) === false) said.textContent = "This shop has no sign-in page; with a token of your own, take the line of curl.";
}

/** Whether to send what changes somebody's order or moves money: nobody is asked by the API. */
function agreed(where, sent) {
  return new Promise((resolve) => {
    const dialog = el(
      "dialog",
      { "aria-label": "Send this?" },
      el(
        "form",
        { method: "dialog" },
        el("h2", {}, "Send this?"),
        el("p", {}, "It is no trial run: it changes what is kept, may move money, and somebody may be told."),
        el("pre", { tabindex: "0" }, `${method} ${where}${sent ? `\n\n${sent}` : ""}`),
        el(
          "div",
          { class: "row end" },
          el("button", { value: "" }, "Back"),
          el("button", { class: "bad", value: "yes" }, "Send it"),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function ask(where, sent) {
  const headers = { Accept: "application/json" };
  if (!is("public") && token()) headers.Authorization = `Bearer ${token()}`;
  if (key?.value) headers[key.name] = key.value;
  if (sent) headers["Content-Type"] = "application/json";
  const begun = performance.now();
  const options = { method, headers, body: sent || undefined, cache: "no-store", signal: AbortSignal.timeout(REQUEST_MS) };
  const answer = await fetch(where, options);
  return { answer, text: await answer.text(), took: Math.round(performance.now() - begun) };
}

async function send() {
  const where = address((each) => each.value);
  const sent = body?.value.trim() ?? "";
  if (is("asks") && !(await agreed(where, sent))) return;
  try {
    let came = await ask(where, sent);
    if (came.answer.status === 401 && !is("public") && (await renew().catch(() => false))) came = await ask(where, sent);
    if (came.answer.status >= 400 && came.answer.status < 500) newKey(); // what was refused may be allowed by now
    drawAnswer(came);
    drawWho();
  } catch {
    show("answer", note("No answer came: the network, or the shop, could not be reached.", "bad"));
    say("No answer came.");
  }
}

function drawAnswer({ answer, text, took }) {
  const headers = SHOWN.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
  const whole = pretty(text);
  const cut = whole.length > MOST_SHOWN;
  const words = `${answer.status} ${answer.statusText}`.trim();
  show(
    "answer",
    el("h3", {}, el("span", { class: answer.ok ? "good-ink" : "bad-ink" }, words), ` after ${took} ms`),
    el("pre", { class: "headers", tabindex: "0" }, headers.join("\n")),
    whole ? el("pre", { class: "body", tabindex: "0" }, whole.slice(0, MOST_SHOWN)) : el("p", { class: "soft" }, "No body."),
    cut && el("p", { class: "soft" }, `The first ${MOST_SHOWN} of ${whole.length} characters.`),
  );
  say(`Answered with ${words}`);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A key for what stands in the form: the same again is done once. */
function newKey() {
  if (key) key.value = crypto.randomUUID();
}

function fill() {
  for (const each of [...inputs, body]) if (each?.dataset.example !== undefined) each.value = each.dataset.example;
  newKey();
  draw();
  form.querySelector("input, textarea")?.focus();
}

form.addEventListener("input", (event) => {
  if (event.target !== key) newKey();
  draw();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(event.submitter, send());
});
document.getElementById("copy").addEventListener("click", copy);
const filled = document.getElementById("fill");
filled.addEventListener("click", fill);
filled.hidden = ![...inputs, body].some((each) => each?.dataset.example !== undefined);
document.getElementById("with-curl").hidden = false;
document.getElementById("trying").hidden = is("not");
newKey();
draw();
drawWho();
