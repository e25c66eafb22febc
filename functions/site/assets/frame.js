// A gateway's own page within this one, by its own script: the customer need not leave, and comes to no harm where that fails.

import { el } from "./ui.js";
import { t } from "./words.js";

const PATIENCE = 5000; // ms for the script to come

/**
 * Show the page `address` by `script` beside `button`, and go to `shown` once it is over, however it ended: what became of the
 * payment is known there. False where the script does not come or breaks: the customer can still leave for the page.
 */
export async function within(button, script, address, shown) {
  const over = () => location.assign(shown);
  button.disabled = true;
  try {
    await load(script.address);
    window[script.name].transact({ tokenUrl: address, type: "IFRAME", callback: over });
  } catch {
    return false;
  }
  button.after(el("p", {}, el("a", { href: address }, t("The payment does not show? Go to its own page."))));
  return true;
}

/** Resolves once the script at `address` has run; it is fetched once. */
function load(address) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(reject, PATIENCE);
    const ended = (how) => () => (clearTimeout(late), how());
    document.head.append(el("script", { src: address, onload: ended(resolve), onerror: ended(reject) }));
  });
}
