// The shop: produce on one side, pujas and readings on the other. What is being chosen stands behind the # of the address.

import { call } from "./api.js";
import { bookings } from "./book.js";
import { produce } from "./produce.js";
import { el, failed, show } from "./ui.js";
import { t } from "./words.js";

const place = document.getElementById("shop");

async function start() {
  try {
    const [config, listings, services] = await Promise.all([
      call("GET", "/api/config"),
      whole("/api/listings"),
      whole("/api/services"),
    ]);
    const wares = listings.filter((each) => each.active);
    const offers = services.filter((each) => each.active);
    const draw = () => open(config, wares, offers);
    addEventListener("hashchange", () => {
      draw();
      if (document.activeElement === document.body) place.querySelector("[aria-current=page]")?.focus();
    });
    draw();
  } catch (error) {
    failed(place, error, start);
  }
}

/** All of a list; a shop that sells more than some hundred things wants pages of its own. */
async function whole(path, cursor = "") {
  const found = await call("GET", `${path}?page_size=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
  const next = found.next && new URL(found.next).searchParams.get("cursor");
  return next ? [...found.results, ...(await whole(path, next))] : found.results;
}

/** What the address chooses: { service, kind, month, date, time, cart, … }. */
const chosen = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function open(config, wares, offers) {
  const choice = chosen();
  const asked = "cart" in choice || "service" in choice || choice.part === "bookings";
  const booking = offers.length > 0 && (asked || wares.length === 0);
  const parts = [
    wares.length && ["produce", config.shop.orders ?? t("Produce"), !booking],
    offers.length && ["bookings", config.shop.bookings ?? t("Pujas and readings"), booking],
  ].filter(Boolean);
  const tabs = parts.map(([name, title, here]) =>
    el("a", { class: "button", href: `#part=${name}`, "aria-current": here && "page" }, title),
  );
  const inside = el("div", {});
  show(place, parts.length > 1 && el("nav", { class: "tabs", "aria-label": t("Parts of the shop") }, tabs), inside);
  if (booking) return bookings(inside, config, offers, choice);
  if (wares.length) return produce(inside, wares);
  show(inside, el("p", { class: "empty" }, t("Nothing is on sale today. Please look again tomorrow.")));
}

await start();
