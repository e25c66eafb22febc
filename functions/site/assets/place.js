// Where this shop's pages are, and in which language they go on.

const page = document.documentElement;
const asked = new URLSearchParams(location.search).get("lang");

if (asked) sessionStorage.setItem("lang", asked);
const kept = sessionStorage.getItem("lang");
if (!asked && kept && kept !== page.lang) {
  // Back from sign-in or from the bank, whose addresses know no language.
  const here = new URL(location.href);
  here.searchParams.set("lang", kept);
  location.replace(here);
}

/** The path at which the shop's own addresses start; empty at the root of its host. */
export const base = page.dataset.base;

/** A page of the shop, in the language of this one. */
export function link(path) {
  const [bare, query] = path.split("?");
  const more = new URLSearchParams(query);
  if (kept && !more.has("lang")) more.set("lang", kept);
  return base + bare + (more.size ? `?${more}` : "");
}

/** The parts of this page's path, below the shop's own: ["orders", "ORD-20260101-001"]. */
export function here() {
  return location.pathname.slice(base.length).split("/").filter(Boolean).map(decodeURIComponent);
}

/** The address of this page on the shop's own host: where to come back to. */
export function back() {
  return location.pathname + location.search + location.hash;
}

/** `address` if it is one of this shop's own, else its first page. */
export function ownAddress(address) {
  try {
    const found = new URL(address, location.origin);
    if (found.origin === location.origin && found.pathname.startsWith(`${base}/`)) {
      return found.pathname + found.search + found.hash;
    }
  } catch {
    // no address at all
  }
  return link("/shop");
}
