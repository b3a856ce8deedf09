// A training while it goes on: curves, sample sheets over time, what the judge says, what it may have copied.
import { chart } from "./chart.js";
import { banner, element, figure, make, say } from "./dom.js";
import { Server } from "./server.js";

/** @typedef {Record<string, number | string>} Line */
/** @typedef {{name: string, gone: boolean, facts: [string, string][], rows: string[], statistics: Line[], evaluations: Line[], best: number | null, sheets: number[]}} Told */

const CHARTS = [
  { title: "Losses", of: "statistics", series: [{ key: "loss_g", label: "generator" }, { key: "loss_d", label: "discriminator" }] },
  { title: "How real the discriminator finds them", of: "statistics", series: [{ key: "d_real", label: "D(x)" }, { key: "d_fake", label: "D(G(z))" }] },
  { title: "KID × 10³: smaller is better", of: "evaluations", series: [{ key: "kid", label: "KID" }] },
  { title: "Precision and recall", of: "evaluations", series: [{ key: "precision", label: "precision" }, { key: "recall", label: "recall" }] },
];
const COLUMNS = ["step", "kid", "fid", "precision", "recall", "density", "coverage", "copies"];
const server = new Server();
const slider = element("time", HTMLInputElement), sheet = element("sheet", HTMLImageElement), when = element("when", HTMLElement);
/** @type {Told | undefined} */
let told;
let following = true; // the newest sheet, until the person looks at an older one
let near = 0;

async function load() {
  try {
    told = /** @type {Told} */ (await server.ask("/api/training"));
  } catch (error) {
    banner(error instanceof Error ? error.message : String(error));
    return;
  }
  banner(told.gone ? "The run folder is gone. What is shown is what was read last." : "");
  if (told.gone) return;
  const { statistics, evaluations, sheets, facts, best } = told;
  element("empty", HTMLElement).hidden = Boolean(statistics.length || sheets.length);
  element("loading", HTMLElement).hidden = true;
  element("content", HTMLElement).hidden = !statistics.length && !sheets.length;
  element("facts", HTMLElement).replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
  const drawn = CHARTS.map(({ title, of, series }) => chart(title, series, of === "statistics" ? statistics : evaluations)).filter((one) => one !== null);
  element("charts", HTMLElement).replaceChildren(...drawn);
  const present = COLUMNS.filter((key) => evaluations.some((line) => key in line));
  element("judged", HTMLElement).hidden = !evaluations.length;
  element("judge", HTMLElement).textContent = evaluations.length ? `${evaluations.at(-1)?.["samples"] ?? ""} sprites a checkpoint, judged by ${evaluations.at(-1)?.["judge"] ?? "?"}` : "";
  element("figures", HTMLElement).replaceChildren(
    make("thead", {}, make("tr", {}, ...present.map((key) => Object.assign(make("th", { textContent: key === "kid" ? "KID × 10³" : key === "fid" ? "FID" : key }), { scope: "col" })))),
    make("tbody", {}, ...evaluations.map((line) => make("tr", { className: line["step"] === best ? "best" : "" }, ...present.map((key) => make("td", { textContent: key === "step" ? `${Number(line[key]).toLocaleString("en")}${line["step"] === best ? " ★ best" : ""}` : figure(typeof line[key] === "number" ? line[key] : null) }))))),
  );
  slider.max = String(Math.max(0, sheets.length - 1));
  slider.disabled = sheets.length < 2;
  element("samples", HTMLElement).hidden = !sheets.length;
  if (following) slider.value = slider.max;
  show();
}

/** The step whose sheet is shown. */
function step() {
  return told?.sheets[Number(slider.value)];
}

function show() {
  const now = step();
  if (now === undefined || sheet.dataset["step"] === String(now)) return;
  sheet.dataset["step"] = String(now);
  sheet.src = `/training/${now}.png`;
  sheet.alt = `Sample sheet of step ${now}: ${told?.rows.filter(Boolean).join(", ") ?? ""}`;
  when.textContent = `step ${now.toLocaleString("en")}`;
  element("near", HTMLElement).replaceChildren();
}

async function neighbours() {
  const now = step(), mine = ++near, place = element("near", HTMLElement);
  if (now === undefined) return;
  place.replaceChildren(make("p", { className: "quiet", textContent: "Looking …" }));
  try {
    const found = await server.ask(`/api/training/${now}/nearest`);
    if (mine !== near) return;
    place.replaceChildren(...found.map((/** @type {any} */ one) => make("figure", {},
      make("img", { src: `data:image/png;base64,${one.picture}`, alt: `generated ${one.type}` }), make("span", { textContent: "→" }),
      ...one.near.map((/** @type {any} */ { file, distance, mirrored, picture }) => {
        const image = make("img", { src: `data:image/png;base64,${picture}`, alt: file, title: `${file}, ${figure(distance)}${mirrored ? ", mirrored" : ""}`, className: mirrored ? "mirrored" : "" });
        return make("span", { className: "one" }, image, make("span", { className: "caption", textContent: figure(distance) }));
      }))));
    say("nearest training sprites are shown");
  } catch (error) {
    if (mine === near) place.replaceChildren(make("p", { textContent: error instanceof Error ? error.message : String(error) }));
  }
}

slider.addEventListener("input", () => {
  following = slider.value === slider.max;
  show();
});
element("look", HTMLButtonElement).addEventListener("click", () => void neighbours());
sheet.addEventListener("error", () => { when.textContent = "this sheet is gone, or not whole yet"; });
server.listen({ training: () => void load(), hello: () => void load(), trouble: () => undefined }, (there) => {
  if (!there) banner("The studio doesn't answer. This page goes on by itself when it is there again.");
});
