// Where this shop's pages are, in which language they go on, and what their tab remembers.

const page = document.documentElement;
const asked = new URLSearchParams(location.search).get("lang");

/** What this tab remembers: for as long as the page stands, where the browser keeps nothing for pages. */
export const store = memory();

if (asked) store.setItem("lang", asked);
const kept = store.getItem("lang");
const spoken = document.querySelector("footer [hreflang]"); // the reference speaks one language
if (!asked && kept && kept !== page.lang && spoken) {
  // Back from sign-in or from the bank, whose addresses know no language.
  const here = new URL(location.href);
  here.searchParams.set("lang", kept);
  location.replace(here);
  await new Promise(() => {}); // the page is being left: what its address holds, a code perhaps, is for the next one
}

/** The path at which the shop's own addresses start; empty at the root of its host. */
export const base = page.dataset.base;

/** A page of the shop, in the language of this one. */
export function link(path) {
  const [bare, query] = path.split("?");
  const more = new URLSearchParams(query);
  if (kept && !more.has("lang")) more.set("lang", kept);
  const said = more.toString();
  return base + bare + (said && `?${said}`);
}

/** The parts of this page's path, below the shop's own: ["orders", "ORD-20260101-001"]. */
export function here() {
  return location.pathname.slice(base.length).split("/").filter(Boolean).map(plain);
}

function plain(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no name of anything, which the API will say
  }
}

/** The address of this page on the shop's own host: where to come back to. */
export function back() {
  return location.pathname + location.search + location.hash;
}

/** The whole of `address` if it is one of this shop's own, else its first page. */
export function ownAddress(address) {
  try {
    const found = new URL(address, location.origin);
    if (found.origin === location.origin && found.pathname.startsWith(`${base}/`)) {
      return found.href; // a path alone may begin with another host: //evil.example
    }
  } catch {
    // no address at all
  }
  return link("/shop");
}

function memory() {
  try {
    return sessionStorage;
  } catch {
    const held = new Map();
    return {
      getItem: (name) => held.get(name) ?? null,
      setItem: (name, value) => held.set(name, value),
      removeItem: (name) => held.delete(name),
    };
  }
}

for (const other of document.querySelectorAll("footer [hreflang]")) {
  other.addEventListener("click", () => {
    const here = new URL(location.href);
    here.searchParams.set("lang", other.hreflang);
    other.href = here; // the same page, with all that its address says
  });
}
