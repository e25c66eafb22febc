// Back from the sign-in page, or from signing out there.

import { link } from "./place.js";
import { finish, signIn } from "./signin.js";
import { el, show } from "./ui.js";
import { t } from "./words.js";

const answered = new URLSearchParams(location.search);

if (!answered.has("code") && !answered.has("error")) {
  location.replace(link("/shop"));
} else if (!(await finish())) {
  const again = el("button", { type: "button", onclick: () => signIn(link("/shop")) }, t("Sign in"));
  show("signed-in", t("Signing in did not work; please try again."), " ", again);
}
