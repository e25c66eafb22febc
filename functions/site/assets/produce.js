// Produce: what is on sale, the basket, and on to the delivery.

import { call, newKey } from "./api.js";
import { delivery } from "./delivery.js";
import { photo, promoCode } from "./parts.js";
import { store } from "./place.js";
import { signedIn, signIn } from "./signin.js";
import { busy, el, failed, money, note, number, say, show } from "./ui.js";
import { t } from "./words.js";

const WANTED = "wanted"; // { listing_id, quantity } of who has to sign in first

/** Show `wares` and the basket in `place`. */
export async function produce(place, wares) {
  const basket = el("aside", { class: "panel", "aria-label": t("Basket") });
  const down = el("div", { class: "tobasket", hidden: true });
  const draw = (cart, pressed = null) => {
    const focused = document.activeElement;
    const name = basket.contains(focused) ? (focused.name ?? "") : focused === document.body && pressed;
    show(basket, ...contents(cart, draw));
    if (typeof name === "string") {
      const same = basket.querySelector(`[name="${CSS.escape(name)}"]`);
      (same ?? basket.querySelector("h2")).focus({ preventScroll: true });
    }
    show(down, cart?.items.length && toBasket(cart, basket));
    down.hidden = !cart?.items.length;
  };
  const shelf = el(
    "ul",
    { class: "cards" },
    wares.map((ware) => card(ware, draw)),
  );
  show(place, el("div", { class: "columns" }, el("div", {}, shelf), basket), down);
  if (!signedIn()) return draw(null);
  try {
    draw((await takeUp()) ?? (await call("GET", "/api/carts/my_cart")));
  } catch (error) {
    failed(basket, error, () => produce(place, wares));
  }
}

/** What was pressed before signing in. */
async function takeUp() {
  const wanted = JSON.parse(store.getItem(WANTED));
  store.removeItem(WANTED);
  return wanted && call("POST", "/api/carts/add_item", wanted, { key: newKey() });
}

function card(ware, draw) {
  const left = Number(ware.available);
  const quantity = el("input", {
    class: "few",
    type: "number",
    min: "0.001",
    step: "any",
    max: String(left),
    value: "1",
    inputmode: "decimal",
    name: "quantity",
    "aria-label": t("How much, in {unit}", { unit: ware.unit_of_measure }),
    required: true,
  });
  const add = el("button", { class: "main" }, t("Add"));
  const form = el("form", { class: "row", onsubmit: (event) => put(event, ware, quantity, add, draw) }, quantity, add);
  return el(
    "li",
    { class: "card" },
    photo(ware.image_url, ware.product_name),
    el(
      "div",
      { class: "body" },
      el("h2", {}, ware.product_name),
      el("p", { class: "soft small" }, ware.farm_name),
      ware.description && el("p", { class: "small" }, ware.description),
      el("p", {}, el("b", { class: "number" }, money(ware.price, ware.currency)), ` / ${ware.unit_of_measure}`),
      el("p", { class: "soft small" }, left > 0 ? t("{amount} in stock", { amount: number(left) }) : t("Sold out")),
      left > 0 && form,
    ),
  );
}

async function put(event, ware, quantity, button, draw) {
  event.preventDefault();
  const wanted = { listing_id: ware.listing_id, quantity: Number(quantity.value) };
  if (!signedIn()) {
    store.setItem(WANTED, JSON.stringify(wanted));
    if (await busy(button, signIn())) return;
    store.removeItem(WANTED);
    button.after(note(t("This shop has no page to sign in at."), "bad"));
    return;
  }
  const cart = await busy(button, call("POST", "/api/carts/add_item", wanted, { key: newKey() }));
  if (!cart) return;
  draw(cart);
  say(t("{product} is in your basket.", { product: ware.product_name }));
}

/** On a phone the basket is below all the produce: a way to it that is always in sight. */
function toBasket(cart, basket) {
  const words = t("Basket: {amount}", { amount: money(cart.total_cost - cart.discount, cart.currency) });
  return el(
    "button",
    { class: "main wide", type: "button", onclick: () => basket.scrollIntoView({ behavior: "smooth" }) },
    words,
  );
}

function contents(cart, draw) {
  const title = el("h2", { tabindex: "-1" }, t("Basket"));
  if (!cart?.items.length) {
    return [title, el("p", { class: "soft" }, t("Nothing is in it yet."))];
  }
  const changed = cart.items.some((line) => line.price_changed);
  const sum = Number(cart.total_cost) - Number(cart.discount);
  return [
    title,
    changed && note(t("A price has changed since. Remove that line and add it again to take the new one."), "warn"),
    el(
      "ul",
      { class: "lines" },
      cart.items.map((line) => row(line, cart, draw)),
    ),
    promo(cart, draw),
    el(
      "p",
      { class: "row end" },
      el("b", {}, t("Together, without delivery")),
      el("b", { class: "number" }, money(sum, cart.currency)),
    ),
    el(
      "button",
      { class: "main wide", type: "button", onclick: (event) => delivery(event.target, cart) },
      t("Choose the delivery"),
    ),
  ];
}

function row(line, cart, draw) {
  const { cart_item_id: item } = line;
  const controls = el("div", { class: "row" });
  const send = async ({ target }, path, body) => {
    const pressed = target.type === "button" ? target : controls; // a field that is being typed into stays as it is
    const told = await busy(pressed, call("POST", path, { cart_item_id: item, ...body }, { key: newKey() }));
    if (told) draw(told, target.name);
  };
  const quantity = el("input", {
    class: "few",
    name: `quantity-${item}`,
    type: "number",
    min: "0.001",
    step: "any",
    value: String(line.quantity),
    inputmode: "decimal",
    "aria-label": t("How much, in {unit}", { unit: line.unit_of_measure }),
    onchange: (event) =>
      event.target.reportValidity() &&
      send(event, "/api/carts/update_quantity", { quantity: Number(event.target.value) }),
  });
  const remove = el(
    "button",
    {
      type: "button",
      name: `remove-${item}`,
      "aria-label": t("Remove {product}", { product: line.product_name }),
      onclick: (event) => send(event, "/api/carts/remove_item", {}),
    },
    "✕",
  );
  controls.append(quantity, el("span", {}, line.unit_of_measure), remove);
  return el(
    "li",
    {},
    el(
      "div",
      { class: "row end" },
      el("b", {}, line.product_name),
      el("span", { class: "number" }, money(line.subtotal, cart.currency)),
    ),
    el("p", { class: "soft small" }, `${money(line.price_at_addition, cart.currency)} / ${line.unit_of_measure}`),
    line.price_changed &&
      el(
        "p",
        { class: "small bad-ink" },
        t("It costs {price} now.", { price: money(line.current_price, cart.currency) }),
      ),
    Number(line.available) < Number(line.quantity) &&
      el("p", { class: "small bad-ink" }, t("Only {amount} can be had now.", { amount: number(line.available) })),
    controls,
  );
}

function promo(cart, draw) {
  const send = async (event, path, body) => {
    event.preventDefault();
    const told = await busy(event.submitter ?? event.target, call("POST", path, body, { key: newKey() }));
    if (told) draw(told, "promo");
  };
  if (cart.promo_code) {
    const problem = cart.promo_error_code
      ? t("This code takes nothing off any more.")
      : cart.promo_changed && t("It takes something else off now.");
    return el(
      "div",
      {},
      el(
        "p",
        { class: "row end" },
        t("Code {code}", { code: cart.promo_code }),
        Number(cart.discount) > 0 && el("span", { class: "number" }, money(-cart.discount, cart.currency)),
      ),
      problem && note(problem, "warn"),
      el(
        "button",
        { type: "button", onclick: (event) => send(event, "/api/carts/remove_promo", {}) },
        t("Remove the code"),
      ),
    );
  }
  return promoCode((event, body) => send(event, "/api/carts/apply_promo", body));
}
