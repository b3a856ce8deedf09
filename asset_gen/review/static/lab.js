// The lab: sliders over what the model knows, and the sprite they stand for.
import { backdrop } from "./backdrop.js";
import { banner, element, kept, keepFor, make, say } from "./dom.js";
import { openGenerator } from "./generator.js";
import { Server } from "./server.js";

/** @typedef {import("./latent.js").Sliders} Sliders @typedef {import("./latent.js").Told} Told @typedef {import("./generator.js").Generator} Generator */

const ZOOM = "assetgen lab zoom";
const FRAMES = 16, PACE = 1000 / 12;
const REACH = 2; // of a direction, each way
const server = new Server();
const query = new URLSearchParams(location.search);
const set = query.get("set") ?? "";
const canvas = element("sprite", HTMLCanvasElement);
const told = element("told", HTMLElement);
/** @type {Sliders} */
const start = query.get("sprite") ? { sprite: query.get("sprite") ?? "" } : { type: query.get("type") ?? "", seed: 0, index: 0 };
/** @type {Generator | undefined} */
let generator;
/** @type {Map<string, HTMLInputElement>} */
const moves = new Map();
/** @type {{A?: Sliders, B?: Sliders}} */
const ends = {};
/** @type {ImageData[]} */
let frames = [];
let busy = false, again = false, playing = 0;

/** What the sliders say. @returns {Sliders} */
function sliders() {
  const type = element("type", HTMLSelectElement).value, towards = element("towards", HTMLSelectElement).value;
  const far = Number(element("far", HTMLInputElement).value);
  const moved = [...moves].map(([name, input]) => /** @type {[string, number]} */ ([name, Number(input.value)])).filter(([, amount]) => amount);
  return {
    ...(start.sprite ? { sprite: start.sprite } : { type, seed: start.seed ?? 0, index: start.index ?? 0 }),
    ...(towards && far ? { towards, far } : {}),
    moves: Object.fromEntries(moved),
    truncation: Number(element("truncation", HTMLInputElement).value),
  };
}

/** @param {ImageData} picture */
function paint(picture) {
  if (canvas.width !== picture.width) {
    canvas.width = canvas.height = picture.width;
    fit();
  }
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
}

function fit() {
  const zoom = Number(element("zoom", HTMLInputElement).value);
  const narrow = innerWidth <= 900; // the sprite stays in sight above the sliders
  const room = Math.min(element("stage", HTMLElement).clientWidth - 24, innerHeight * (narrow ? 0.3 : 0.75));
  const most = Math.max(1, Math.floor(room / Math.max(1, canvas.width)));
  const times = Math.min(zoom, most);
  canvas.style.width = `${canvas.width * times}px`;
  element("times", HTMLElement).textContent = `${times}×`;
}

/** Draw what the sliders say now; the latest state wins. @returns {Promise<void>} */
async function changed() {
  if (!generator) return;
  stop();
  again = busy;
  if (busy) return;
  busy = true;
  const begun = performance.now();
  try {
    paint(await generator.draw(sliders()));
    canvas.dataset["took"] = String(Math.round(10 * (performance.now() - begun)) / 10);
    banner("");
  } catch (error) {
    banner(error instanceof Error ? error.message : String(error));
  }
  busy = false;
  if (again) return changed();
  told.textContent = `${generator.name === "browser" ? "Drawn in this browser" : "Drawn by the studio"} in ${canvas.dataset["took"] ?? "–"} ms`;
}

/** @param {HTMLInputElement} input @param {HTMLOutputElement} output */
function follow(input, output) {
  output.textContent = Number(input.value).toFixed(2);
  input.addEventListener("input", () => {
    output.textContent = Number(input.value).toFixed(2);
    void changed();
  });
}

/** @param {Told} gear */
function fill(gear) {
  const type = element("type", HTMLSelectElement), towards = element("towards", HTMLSelectElement);
  const kinds = Object.keys(gear.types), one = (/** @type {string} */ value, label = value) => make("option", { value, textContent: label });
  if (start.sprite) type.append(one("", "the sprite of the wall"));
  type.append(...(kinds.length ? kinds.map((kind) => one(kind)) : [one(gear.first, "any")]));
  type.value = start.sprite ? "" : kinds.includes(start.type ?? "") ? start.type ?? "" : gear.first;
  type.addEventListener("change", () => fresh());
  towards.append(one("", "no other"), ...kinds.map((kind) => one(kind)));
  towards.addEventListener("change", () => {
    const far = element("far", HTMLInputElement);
    far.disabled = !towards.value;
    if (towards.value && !Number(far.value)) far.value = "0.5";
    far.dispatchEvent(new Event("input"));
  });
  element("mixing", HTMLElement).hidden = !kinds.length;
  element("directions", HTMLElement).append(...gear.directions.map(({ name, label }) => {
    const input = make("input", { type: "range", min: String(-REACH), max: String(REACH), step: "0.05", value: "0", id: `move-${name}` });
    const output = make("output", { htmlFor: /** @type {any} */ (input.id) });
    moves.set(name, input);
    follow(input, output);
    return make("label", { className: "slider" }, make("span", { textContent: label }), input, output);
  }));
  element("without", HTMLElement).textContent = gear.without;
  element("without", HTMLElement).hidden = !gear.without;
}

/** Another sprite of the type. */
function fresh() {
  const type = element("type", HTMLSelectElement);
  if (!type.value) type.selectedIndex = 1;
  delete start.sprite;
  Object.assign(start, { seed: Math.floor(Math.random() * 2 ** 32), index: 0 });
  void changed();
}

function reset() {
  for (const input of document.querySelectorAll("#controls input[type=range]")) {
    if (!(input instanceof HTMLInputElement) || input.id === "zoom" || input.id === "position") continue;
    input.value = input.id === "truncation" ? "1" : "0";
    const output = input.parentElement?.querySelector("output");
    if (output) output.textContent = Number(input.value).toFixed(2);
  }
  element("towards", HTMLSelectElement).value = "";
  element("far", HTMLInputElement).disabled = true;
  void changed();
}

/** @param {"A" | "B"} end */
async function mark(end) {
  const state = ends[end] = sliders();
  frames = [];
  const picture = await generator?.draw(state); // what the canvas shows may be older
  const small = element(end === "A" ? "first" : "second", HTMLCanvasElement);
  if (picture) {
    small.width = small.height = picture.width;
    small.getContext("2d")?.putImageData(picture, 0, 0);
  }
  for (const id of ["play", "position", "save"]) /** @type {HTMLInputElement} */ (document.getElementById(id)).disabled = !(ends.A && ends.B);
  say(`${end} is what is shown`);
}

/** Pictures on the way from A to B. */
async function drawWay() {
  if (!frames.length && generator && ends.A && ends.B) frames = await generator.way(ends.A, ends.B, FRAMES);
  return frames;
}

function stop() {
  cancelAnimationFrame(playing);
  playing = 0;
  element("play", HTMLButtonElement).setAttribute("aria-pressed", "false");
}

async function play() {
  if (playing) return stop();
  const way = await drawWay();
  const there = [...way, ...way.slice(1, -1).reverse()], begun = performance.now();
  element("play", HTMLButtonElement).setAttribute("aria-pressed", "true");
  const step = () => {
    const at = Math.floor((performance.now() - begun) / PACE) % there.length, picture = there[at];
    if (picture) paint(picture);
    element("position", HTMLInputElement).value = String(Math.min(at, there.length - at));
    playing = requestAnimationFrame(step);
  };
  playing = requestAnimationFrame(step);
}

async function save() {
  const format = element("format", HTMLSelectElement).value;
  const answer = await fetch(`/api/lab/file?set=${encodeURIComponent(set)}`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ first: ends.A, second: ends.B, count: FRAMES, format }),
  });
  if (!answer.ok) throw new Error((await answer.json()).error);
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: `morph.${format}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function keep() {
  const { made } = await server.ask(`/api/lab/draw?set=${encodeURIComponent(set)}`, sliders());
  const { names } = await server.ask("/api/candidates", { origins: made.map((/** @type {any} */ one) => one.origin), set });
  told.textContent = `${names.join(", ")} is among the candidates now`;
  say("added to the candidates");
}

/** Do it when the button is pressed; what goes wrong is told. @param {string} id @param {() => unknown} act */
function press(id, act) {
  element(id, HTMLButtonElement).addEventListener("click", async () => {
    try {
      await act();
    } catch (error) {
      banner(error instanceof Error ? error.message : String(error));
    }
  });
}

async function begin() {
  backdrop();
  const zoom = element("zoom", HTMLInputElement);
  zoom.value = String(kept(localStorage, ZOOM) ?? 12);
  zoom.addEventListener("input", () => {
    keepFor(localStorage, ZOOM, Number(zoom.value));
    fit();
  });
  addEventListener("resize", fit);
  /** @type {Told} */
  let gear;
  try {
    gear = await server.ask(`/api/lab?set=${encodeURIComponent(set)}`);
  } catch (error) {
    told.textContent = error instanceof Error && "status" in error ? error.message : "The studio doesn't answer. Load this page again when it is there.";
    return;
  }
  if (gear.why) {
    told.textContent = gear.why;
    return;
  }
  canvas.width = canvas.height = gear.side;
  fit();
  fill(gear);
  for (const id of ["far", "truncation"]) {
    const output = document.querySelector(`output[for=${id}]`);
    if (output instanceof HTMLOutputElement) follow(element(id, HTMLInputElement), output);
  }
  press("fresh", fresh);
  press("reset", reset);
  press("mark-A", () => mark("A"));
  press("mark-B", () => mark("B"));
  press("play", play);
  press("save", save);
  press("keep", keep);
  element("position", HTMLInputElement).max = String(FRAMES - 1);
  element("position", HTMLInputElement).addEventListener("input", async () => {
    stop();
    const way = await drawWay(), picture = way[Number(element("position", HTMLInputElement).value)];
    if (picture) paint(picture);
  });
  told.textContent = "Loading the generator …";
  const begun = performance.now();
  generator = await openGenerator(gear, server.ask.bind(server), set);
  document.body.dataset["engine"] = generator.name;
  document.body.dataset["loaded"] = String(Math.round(performance.now() - begun));
  element("controls", HTMLFieldSetElement).disabled = false;
  await changed();
  Object.assign(globalThis, { lab: { generator, sliders } }); // for whoever looks into the page
}

void begin();
