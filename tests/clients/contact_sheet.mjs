// Opens a candidate set's contact sheet from disk and prints what it shows: node contact_sheet.mjs CHROMIUM PAGE
import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const [executablePath, page] = process.argv.slice(2);
const flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const browser = await chromium.launch({ executablePath, args: flags.split(" ") });
const tab = await browser.newPage();
const errors = [];
tab.on("pageerror", (error) => errors.push(String(error)));
await tab.goto(pathToFileURL(page).href);
const cards = await tab.locator("figure").count();
const kept = await tab.locator("figure.kept").count();
const image = tab.locator("figure img").first();
await image.evaluate((picture) => picture.decode());
const loaded = await image.evaluate(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]);
const rendering = await image.evaluate((picture) => getComputedStyle(picture).imageRendering);
await tab.selectOption("#state", "1");
const keptOnly = await tab.locator("figure").count();
await browser.close();
console.log(JSON.stringify({ cards, kept, keptOnly, loaded, rendering, errors }));
