// Back from the sign-in page, or from signing out there.

import { link } from "./place.js";
import { finish, signIn } from "./signin.js";
import { busy, el, sentence, show } from "./ui.js";
import { t } from "./words.js";

const answered = new URLSearchParams(location.search);
const tried = answered.has("code") || answered.has("error");
let going = link("/shop");

try {
  const { back, done, again, error } = await finish();
  going = back;
  if (done || !(tried || again)) location.replace(going);
  else if (error) ask(sentence(error));
  else if (!again || !(await signIn(going))) ask(t("Signing in did not work; please try again."));
} catch (error) {
  ask(sentence(error));
}

function ask(message) {
  const again = el("button", { type: "button", onclick: () => busy(again, signIn(going)) }, t("Sign in"));
  show("signed-in", el("span", { role: "alert" }, message), " ", again);
}
