// What is for sale: stock, price, on or off, picture, and the days that are free. Each change can be taken back.

import { call } from "./api.js";
import {
  ask,
  badge,
  button,
  facts,
  field,
  filter,
  list,
  open,
  param,
  query,
  read,
  replaceCard,
  section,
  send,
  step,
  told,
  today,
} from "./desk.js";
import { link } from "./place.js";
import { busy, day, el, failed, money, show } from "./ui.js";
import { t } from "./words.js";

const asked = { active: param("active") || "true", search: param("search") };

function chosen() {
  const shown = [
    ["true", t("for sale")],
    ["false", t("not for sale")],
  ];
  return filter("/desk/catalogue", [
    field({ name: "active", label: t("What"), options: shown, value: asked.active }),
    field({ name: "search", label: t("Part of its name"), type: "search", value: asked.search }),
  ]);
}

const entries = (path, of) =>
  list(
    async (after) => {
      const page = await call("GET", after || `${path}${query(asked)}`);
      return { found: page.results, next: page.next?.slice(page.next.indexOf("/api/")) };
    },
    (each) => card(of(each)),
    t("There is nothing of this kind."),
  );

/** What listings and services have in common: `path` is where an operator reads and changes it. */
const listing = (entry) => ({
  entry,
  name: entry.product_name,
  path: `/listings/${entry.listing_id}/`,
  of: listing,
  shown: [
    [t("Farm"), entry.farm_name],
    [t("Price"), `${money(entry.price, entry.currency)} / ${entry.unit_of_measure}`],
    [t("Can be bought"), `${entry.available} ${entry.unit_of_measure}`],
    [t("In payments under way"), entry.held ? `${entry.held}` : ""],
  ],
  more: (change) => button(t("Stock…"), (event) => stock(event.currentTarget, change)),
});

const service = (entry) => ({
  entry,
  name: entry.name,
  path: `/services/${entry.id}/?service_type=${entry.service_type}`,
  of: service,
  shown: [
    [t("Price"), entry.price && money(entry.price, entry.currency)],
    ...entry.packages.map((each) => [each.name, money(each.price, entry.currency)]),
  ],
  more: () => entry.has_calendar && button(t("Days"), (event) => days(entry, event.currentTarget)),
});

function card(kind) {
  const { entry, name, path } = kind;
  const made = el("article", { class: "card", "aria-label": name, "data-of": path });
  /** The entry as it is kept now, or null where it could not be read. */
  const kept = (pressed) => busy(pressed, read(path));
  /** Send `wanted`, show what became of it, and offer the way back. */
  const change = (wanted, version, key) => send(path, { ...wanted, version }, key);
  const changed = (now, text, back) => {
    replaceCard(card(kind.of(now)));
    told(text, async () => {
      const before = await change(back, now.version);
      replaceCard(card(kind.of(before)));
      return before;
    });
  };
  const given = { kept, change, changed, name };
  made.append(
    ...[
      entry.image_url &&
        el("img", { class: "photo", src: entry.image_url, alt: "", loading: "lazy", referrerpolicy: "no-referrer" }),
    ].filter(Boolean),
    el(
      "div",
      { class: "body" },
      el("h3", { class: "row end" }, name, badge(entry.active ? t("for sale") : t("not for sale"), entry.active ? "" : "warn")),
      facts(...kind.shown),
      el(
        "p",
        { class: "row steps" },
        sale(entry, given),
        button(t("Price, picture…"), (event) => edit(kind, event.currentTarget, given)),
        kind.more(given),
      ),
    ),
  );
  return made;
}

/** On or off, in one tap. */
function sale(entry, { change, changed, name, kept }) {
  const wanted = !entry.active;
  const pressed = step(
    wanted ? t("Sell it again") : t("Take it off sale"),
    async () => {
      const now = await kept(pressed); // what came in between would be lost without its version
      return now && change({ active: wanted }, now.version);
    },
    (now) =>
      changed(now, now.active ? t("{name} is for sale.", { name }) : t("{name} is not for sale any more.", { name }), {
        active: entry.active,
      }),
    "",
  );
  return pressed;
}

async function stock(pressed, { kept, change, changed, name }) {
  const now = await kept(pressed);
  if (!now) return;
  const unit = now.unit_of_measure;
  const how = [
    ["add_stock", t("come to it")],
    ["take", t("go from it")],
    ["set_stock", t("are there now, counted")],
  ];
  const wanted = ({ how: word, quantity }) => (word === "take" ? { add_stock: `-${quantity}` } : { [word]: quantity });
  const opposite = ({ how: word, quantity }) =>
    word === "set_stock" ? { set_stock: `${now.available}` } : { add_stock: word === "take" ? quantity : `-${quantity}` };
  let given = null;
  const after = await ask({
    title: t("Stock of {name}", { name }),
    says: t("{available} {unit} can be bought now, and {held} are in payments under way.", {
      available: now.available,
      unit,
      held: now.held,
    }),
    fields: [
      field({
        name: "quantity",
        label: t("How many {unit}", { unit }),
        inputmode: "decimal",
        pattern: "[0-9]+([.][0-9]+)?",
        required: true,
      }),
      field({ name: "how", label: t("They"), options: how }),
    ],
    agree: t("Change the stock"),
    act: (values, key) => change(wanted((given = values)), now.version, key),
  });
  if (after)
    changed(
      after,
      t("{available} {unit} of {name} can be bought.", { available: after.available, unit, name }),
      opposite(given),
    );
}

/** Prices, words and picture; only what is another than before is sent. */
async function edit(kind, pressed, { kept, change, changed, name }) {
  const now = await kept(pressed);
  if (!now) return;
  const amount = { inputmode: "decimal", pattern: "[0-9]+([.][0-9]{1,2})?", required: true };
  const packages = now.packages ?? [];
  const prices = packages.map((each) => field({ name: `package-${each.id}`, label: each.name, value: each.price, ...amount }));
  const before = { price: now.price, description: now.description, image_url: now.image_url ?? "" };
  const different = (values) => {
    const wanted = Object.fromEntries(
      Object.entries(before)
        .map(([word]) => [word, values[word]])
        .filter(([word, value]) => value !== undefined && value !== before[word]),
    );
    const others = packages
      .filter((each) => values[`package-${each.id}`] !== each.price)
      .map(({ id }) => ({ id, price: values[`package-${id}`] }));
    return others.length ? { ...wanted, packages: others } : wanted;
  };
  let wanted = {};
  const after = await ask({
    title: name,
    says: t("Who is paying already pays the price that they were told."),
    fields: [
      now.price &&
        field({ name: "price", label: t("Price in {currency}", { currency: now.currency }), value: now.price, ...amount }),
      prices,
      field({ name: "description", label: t("Description"), value: now.description, maxlength: 2000 }),
      field({
        name: "image_url",
        label: t("Address of a picture"),
        type: "url",
        pattern: "https://.+",
        value: now.image_url ?? "",
        hint: t("https://…; empty for none"),
      }),
    ],
    agree: t("Keep"),
    act: (values, key) => change((wanted = different(values)), now.version, key),
  });
  if (!after) return;
  const back = Object.fromEntries(Object.keys(wanted).map((word) => [word, before[word]]));
  if (wanted.packages)
    back.packages = packages
      .filter((each) => wanted.packages.some(({ id }) => id === each.id))
      .map(({ id, price }) => ({ id, price }));
  changed(after, t("{name} is changed.", { name }), back);
}

/** The days of this month and the next that can be booked, with how many times are free. */
async function days(entry, pressed) {
  const body = pressed.closest(".body");
  const place = body.querySelector(".days") ?? body.appendChild(el("div", { class: "days" }));
  const first = today("booking").slice(0, 8);
  const following = new Date(Date.parse(`${first}28T00:00:00Z`) + 4 * 86_400_000).toISOString();
  const asking = [first, following].map((each) =>
    call("GET", `/api/services/${entry.id}/days/${query({ month: each.slice(0, 7), service_type: entry.service_type })}`),
  );
  try {
    const found = (await busy(pressed, Promise.all(asking)))?.flatMap((month) => month.days);
    if (!found) return;
    const line = (each) =>
      el(
        "li",
        {},
        el(
          "a",
          { href: link(`/desk/bookings?day=${each.date}`) },
          day(each.date, { weekday: "short", day: "numeric", month: "short" }),
        ),
        ` ${t("{count} free", { count: each.free_slots })}`,
      );
    show(
      place,
      found.length ? el("ul", { class: "lines" }, found.map(line)) : el("p", { class: "empty" }, t("No day can be booked.")),
    );
  } catch (error) {
    failed(place, error, () => days(entry, pressed));
  }
}

open(
  chosen,
  () => section(t("Produce"), () => entries("/api/listings/", listing)),
  () => section(t("Services"), () => entries("/api/services/", service)),
);
