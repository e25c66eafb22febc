// Asks Lighthouse about pages: `node lighthouse.mjs HOME` reads { chromium, args, env, pages: [{ path, url, tokens }] } as JSON and
// prints [{ path, accessibility, practices, performance, bytes, painted, wrong }]. HOME holds what npm brought.
import { createRequire } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(join(process.argv[2], "package.json"));
const brought = async (name) => import(pathToFileURL(resolve(name)));
const { default: lighthouse } = await brought("lighthouse");
const { default: puppeteer } = await brought("puppeteer-core");

const CATEGORIES = ["accessibility", "best-practices", "performance"];
const asked = JSON.parse(await text(process.stdin));
const browser = await puppeteer.launch({ executablePath: asked.chromium, args: asked.args, env: asked.env });
const found = [];
try {
  for (const { path, url, tokens } of asked.pages) {
    const visitor = await browser.createBrowserContext(); // who has never seen the shop: nothing is kept from the page before
    const page = await visitor.newPage();
    await page.evaluateOnNewDocument((kept) => sessionStorage.setItem("tokens", kept), tokens);
    const { lhr } = await lighthouse(url, { onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: "error" }, undefined, page);
    if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
    if (lhr.finalDisplayedUrl !== url) throw new Error(`${path} led to ${lhr.finalDisplayedUrl}`);
    const score = (name) => Math.round(lhr.categories[name].score * 100);
    const refs = ["accessibility", "best-practices"].flatMap((name) => lhr.categories[name].auditRefs.filter((each) => each.weight));
    const audits = [...new Set(refs.map(({ id }) => id))].map((id) => lhr.audits[id]);
    found.push({
      path,
      accessibility: score("accessibility"),
      practices: score("best-practices"),
      performance: score("performance"),
      bytes: Math.round(lhr.audits["total-byte-weight"].numericValue),
      painted: Math.round(lhr.audits["first-contentful-paint"].numericValue),
      wrong: audits.filter(({ score: each }) => each !== null && each < 1).map(({ id }) => id),
    });
    await visitor.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
