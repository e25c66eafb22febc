// Where and when produce is delivered; then to the checkout.

import { call } from "./api.js";
import { field, options } from "./parts.js";
import { leave, once } from "./pay.js";
import { link } from "./place.js";
import { who } from "./signin.js";
import { busy, el, failed, money, show } from "./ui.js";
import { t } from "./words.js";

/** Ask in a dialog for where `cart` goes, after `button` was pressed, and open a payment session for it. */
export async function delivery(button, cart) {
  const counties = await busy(button, call("GET", "/api/locations/counties"));
  if (!counties) return;
  const places = (counties.results ?? counties).filter((each) => each.delivery_fee !== null);
  const subcounty = el("select", { name: "subcounty_id", required: true, disabled: true });
  const fee = el("div", { class: "soft small", "aria-live": "polite" });
  const county = el("select", {
    name: "county_id",
    required: true,
    onchange: (event) => choose(event.target, places, subcounty, fee, cart),
  });
  county.append(
    ...options(
      places.map((each) => [each.id, each.name]),
      t("Choose"),
    ),
  );
  const go = el("button", { class: "main" }, t("To the payment"));
  const form = el(
    "form",
    { onsubmit: (event) => open(event, go) },
    el("h2", {}, t("Where do we deliver to?")),
    field(
      t("Name"),
      el("input", {
        name: "full_name",
        autocomplete: "name",
        required: true,
        maxlength: "100",
        value: who()?.name ?? "",
      }),
    ),
    field(
      t("M-Pesa phone number"),
      el("input", {
        name: "phone_number",
        type: "tel",
        autocomplete: "tel",
        required: true,
        placeholder: "0712345678",
        value: who()?.phone ?? "",
      }),
    ),
    field(t("County"), county),
    field(t("Sub-county"), subcounty),
    fee,
    field(
      t("Street, house, landmark"),
      el("textarea", { name: "detailed_address", required: true, maxlength: "500", autocomplete: "street-address" }),
    ),
    field(t("Day"), el("input", { name: "estimated_delivery_date", type: "date" })),
    field(t("Time of day"), slots()),
    field(t("For the rider"), el("input", { name: "special_instructions", maxlength: "500" })),
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, t("Back")), go),
  );
  const dialog = el("dialog", { "aria-label": t("Where do we deliver to?"), onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();
}

const slots = () =>
  el(
    "select",
    { name: "delivery_time_slot" },
    options([
      ["anytime", t("Any time")],
      ["morning", t("Morning")],
      ["afternoon", t("Afternoon")],
      ["evening", t("Evening")],
    ]),
  );

async function choose(county, places, subcounty, fee, cart) {
  const chosen = places.find((each) => String(each.id) === county.value);
  subcounty.replaceChildren();
  subcounty.disabled = true;
  show(fee, chosen && t("Delivery costs {fee}.", { fee: money(chosen.delivery_fee, cart.currency) }));
  if (!chosen) return;
  const still = () => county.value === String(chosen.id);
  let found;
  try {
    found = await call("GET", `/api/locations/counties/${chosen.id}/subcounties`);
  } catch (error) {
    if (still()) failed(fee, error, () => choose(county, places, subcounty, fee, cart));
    return;
  }
  if (!still()) return;
  subcounty.append(
    ...options(
      (found.results ?? found).map((each) => [each.id, each.name]),
      t("Choose"),
    ),
  );
  subcounty.disabled = false;
}

async function open(event, button) {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(event.target));
  const details = { ...given, county_id: Number(given.county_id), subcounty_id: Number(given.subcounty_id) };
  const kept = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== ""));
  const body = { delivery_details: kept };
  const session = await busy(button, once("/api/payments/sessions", body));
  if (session) leave(button, link(`/checkout/${session.session_id}`));
}
