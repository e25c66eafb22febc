// One booking before it is paid for: what, when, for whom, and what it costs.

import { call, newKey } from "./api.js";
import { bill, facts, promoCode } from "./parts.js";
import { pay } from "./pay.js";
import { signedIn, signIn } from "./signin.js";
import { busy, clock, day, el, failed, headed, money, note, show, written } from "./ui.js";
import { t } from "./words.js";

/** Show the cart `number` in `place`; it is of one of `offers`, which says its currency. */
export async function review(place, config, offers, number) {
  if (!signedIn()) return signIn();
  try {
    draw(place, config, offers, await call("GET", `/api/cart/carts/${encodeURIComponent(number)}`));
  } catch (error) {
    failed(place, error, () => review(place, config, offers, number));
  }
  return undefined;
}

function draw(place, config, offers, cart) {
  const service = cart.puja_service ?? cart.astrology_service;
  const offer = offers.find((each) => each.id === service.id && each.service_type === cart.service_type);
  const currency = offer?.currency ?? config.currencies[0];
  const gateway = config.gateways.find((each) => each.currencies.includes(currency));
  const anew = `#${new URLSearchParams({ kind: cart.service_type, service: service.id, date: cart.selected_date })}`;
  const [discount, rounding] = [Number(cart.discount), Number(cart.rounding ?? 0)];
  const rows = [
    [cart.package?.name ?? service.name, cart.package?.price ?? Number(cart.total_price) + discount - rounding],
    discount > 0 && [t("Code {code}", { code: cart.promo_code }), -discount],
    rounding !== 0 && [t("Rounding"), rounding],
    [t("To pay"), cart.total_price],
  ];
  show(
    place,
    headed("h2", service.name),
    el(
      "section",
      { class: "panel" },
      facts([
        [t("When"), `${day(cart.selected_date)}, ${clock(cart.selected_time)}`],
        [t("Name"), cart.customer_name],
        [t("Phone number"), cart.phone_number],
        [t("Where it takes place"), written(cart.address)],
      ]),
      bill(rows.filter(Boolean), currency),
      cart.status === "ACTIVE" && promo(place, config, offers, cart),
      next(cart, gateway, currency, anew),
    ),
    el("p", {}, el("a", { href: anew }, t("Another time"))),
  );
}

function next(cart, gateway, currency, anew) {
  if (cart.status === "CONVERTED") return note(t("This has been paid for. Look at your bookings."), "good");
  if (cart.price_changed) {
    const price = money(Number(cart.current_price) - Number(cart.current_discount), currency);
    return [
      note(t("It costs {price} now. Nothing was charged; start again to take the new price.", { price }), "warn"),
      el("a", { class: "button main", href: anew }, t("Start again")),
    ];
  }
  if (!cart.available) {
    return [
      note(t("This time cannot be had any more. Nothing was charged; please choose another."), "warn"),
      el("a", { class: "button main", href: anew }, t("Another time")),
    ];
  }
  if (!gateway) return note(t("This cannot be paid for here. Please ask the shop."), "warn");
  const words = t("Pay {amount} with {gateway}", { amount: money(cart.total_price, currency), gateway: gateway.label });
  return el(
    "p",
    {},
    el(
      "button",
      {
        class: "main wide",
        type: "button",
        onclick: (event) => pay(event.target, cart.id, gateway.name, gateway.prompts_phone ? cart.phone_number : null, gateway.script),
      },
      words,
    ),
  );
}

function promo(place, config, offers, cart) {
  const send = async (event, path, body) => {
    event.preventDefault();
    const told = await busy(
      event.submitter ?? event.target,
      call("POST", `/api/cart/carts/${cart.id}/${path}`, body, { key: newKey() }),
    );
    if (told) review(place, config, offers, cart.id);
  };
  if (cart.promo_code) {
    return el(
      "p",
      {},
      el("button", { type: "button", onclick: (event) => send(event, "remove_promo", {}) }, t("Remove the code")),
    );
  }
  return promoCode((event, body) => send(event, "apply_promo", body));
}
