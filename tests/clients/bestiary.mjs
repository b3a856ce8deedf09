// Opens a bestiary from disk in Chromium and prints what a visitor would see, as JSON.
// node bestiary.mjs CHROMIUM PAGE SCREENSHOT
import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const [executablePath, page, screenshot] = process.argv.slice(2);
const flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const browser = await chromium.launch({ executablePath, args: flags.split(" ") });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
const tab = await context.newPage();
const errors = [];
tab.on("pageerror", (error) => errors.push(String(error)));
await tab.goto(pathToFileURL(page).href);
await tab.waitForFunction(() => document.documentElement.dataset.state !== "loading");
const result = {
  state: await tab.evaluate(() => document.documentElement.dataset.state),
  notice: await tab.textContent("#notice"),
  types: await tab.$$eval("#types a", (links) => links.map((link) => [link.dataset.type, link.textContent])),
  shown: {},
};
if (result.state === "ready") {
  for (const [type] of result.types) {
    await tab.click(`#types a[data-type="${type}"]`);
    await tab.waitForFunction((wanted) => document.querySelector("#wall button")?.dataset.type === wanted, type);
    result.shown[type] = await tab.$$eval("#wall button", (buttons) => buttons.map(({ dataset }) => dataset.name));
  }
  const first = tab.locator("#wall button").first();
  await first.focus();
  await tab.keyboard.press("ArrowRight");
  await tab.waitForFunction(() => document.querySelectorAll("#wall button")[1].getAttribute("aria-pressed") === "true");
  result.walkedTo = await tab.textContent("#frame-name");
  result.focused = await tab.evaluate(() => document.activeElement.dataset.name);
  await tab.click("#encounter");
  await tab.waitForFunction((before) => document.querySelector("#frame-name").textContent !== before, result.walkedTo);
  result.met = await tab.textContent("#frame-name");
  result.boxes = await tab.$$eval("#wall button canvas", (canvases) =>
    canvases.slice(0, 3).map((canvas) => {
      const { x, y, width, height } = canvas.getBoundingClientRect();
      return [canvas.parentElement.dataset.name, x, y, width, height];
    }),
  );
}
await tab.screenshot({ path: screenshot });
await browser.close();
console.log(JSON.stringify({ ...result, errors }));
