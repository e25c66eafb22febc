// The list of the API's operations, filtered as one types: by name, path, field and error code.

import { el, say } from "./ui.js";

const MOST_SHOWN = 6; // fields beside one operation
const form = document.getElementById("search");
const input = form.elements.q;
const rows = [...document.querySelectorAll(".operations li")].map((row) => ({
  row,
  link: row.querySelector("a"),
  words: `${row.id} ${row.textContent} ${row.closest("section").id}`.toLowerCase(),
  finds: row.dataset.finds.split(" "),
  found: row.appendChild(el("span", { class: "found small soft" })),
}));

/** The fields by which an operation answers all of `asked`, none where its own words do; null where it does not. */
function fits({ words, finds }, asked) {
  const fields = new Set();
  for (const word of asked) {
    if (words.includes(word)) continue;
    const named = finds.filter((each) => each.toLowerCase().includes(word));
    if (!named.length) return null;
    named.forEach((each) => fields.add(each));
  }
  return [...fields];
}

const shown = () => rows.filter(({ row }) => !row.hidden);

function search() {
  const asked = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const each of rows) {
    const fields = fits(each, asked);
    each.row.hidden = fields === null;
    const more = fields?.length > MOST_SHOWN ? " …" : "";
    each.found.textContent = fields?.length ? fields.slice(0, MOST_SHOWN).join(", ") + more : "";
  }
  for (const part of document.querySelectorAll("main > section")) {
    part.hidden = !part.querySelector("li:not([hidden])");
  }
  const many = shown().length;
  document.getElementById("about").hidden = asked.length > 0;
  document.getElementById("nothing").hidden = many > 0;
  say(asked.length ? `${many} found` : "");
  history.replaceState(null, "", asked.length ? `#q=${encodeURIComponent(input.value)}` : location.pathname + location.search);
}

/** The arrows go from the box through what is found and back. */
function arrows(event) {
  const links = [input, ...shown().map(({ link }) => link)];
  const at = links.indexOf(document.activeElement);
  const next = links[at + { ArrowDown: 1, ArrowUp: -1 }[event.key]];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
}

input.addEventListener("input", search);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const found = input.value.trim() ? shown() : [];
  (found.find((each) => !each.found.textContent) ?? found[0])?.link.click(); // rather one that is called so
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.select();
  } else if (event.key === "Escape" && input.value) {
    input.value = "";
    search();
    input.focus();
  } else arrows(event);
});

form.hidden = false;
const before = location.hash.match(/^#q=(.*)$/);
if (before) {
  try {
    input.value = decodeURIComponent(before[1]);
  } catch {
    input.value = before[1]; // as it was typed
  }
  search();
}
