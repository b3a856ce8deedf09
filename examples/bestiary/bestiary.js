"use strict";
// A bestiary drawn from the sheets that assetgen wrote. Its target "generic" puts them into globalThis.assetgenSheets
// (assets/generated/sheets.js); `readSheets` and `draw` are all that a game needs to show a sprite.

/** @typedef {{x: number, y: number, w: number, h: number}} Rect */
/** TexturePacker JSON (hash): the part used here. @typedef {{frames: Record<string, {frame: Rect}>}} Atlas */
/** @typedef {{type: string, label: string, image: string, data: Atlas}} Sheet */
/** @typedef {{name: string, type: string, label: string, path: string, image: HTMLImageElement, rect: Rect}} Sprite */

const FOLDER = "assets/generated/";
const STATS = ["Might", "Guard", "Speed", "Luck"];
const BEST_STAT = 20;
const SMALLEST = 3; // em; a sprite on the wall is at least this wide …
const LARGEST = 10; // … and at most this, unless its own pixels are more
const GAP = 8; // CSS pixels between plates, as in bestiary.css

const SYLLABLES = [
  "Ar Bel Bram Cor Dun Eth Fal Gor Hul Ith Jor Kel Lum Mor Nar Oth Pyr Quil Rug Sel Tor Ul Vex Wyr Xan Yl Zor",
  "a e i o u ae ia or an el in ur",
  "bek dra fen gast goth kin lith mok nax ner phus quin rill ross sk tal th thus vane vel wyn zar",
];
const PLACES = [
  "in the Salt Marsh", "on the Ember Steps", "in the Drowned Library", "in the Long Orchard", "on the Glass Moor",
  "in the Ninth Cellar", "at Wolfwind Pass", "in the Lantern Woods", "under Old Bridge", "beyond the Tin Hills",
];
const HOURS = ["at first light", "at noon", "at dusk", "at midnight", "after rain", "in thick fog", "on market day"];
const RUMOURS = [
  "Hums when it rains.", "Warm to the touch, even in winter.", "Smells faintly of thunder.", "Dislikes bells.",
  "Never casts the same shadow twice.", "Cats adore it; dogs won't enter the room.", "Glows a little when lied to.",
  "Said to remember every name it hears.", "Grows heavier near running water.", "Leaves frost where it rested.",
  "Turns to face the moon when nobody looks.", "Once traded for a whole village.", "Must not be counted aloud.",
  "Has outlived three kings and a cook.", "Whispers, but only to the left ear.", "Lucky for whoever forgets it.",
];

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} id @returns {HTMLElementTagNameMap[T]} */
const the = (tag, id) => /** @type {any} */ (document.querySelector(`${tag}#${id}`));
const wall = the("div", "sprite-wall");
const tabs = the("div", "type-tabs");
const portrait = the("canvas", "portrait");

/** Sprites by type, in sheet order. @type {Map<string, Sprite[]>} */
const spritesOf = new Map();
/** @type {Map<string, Sprite>} */
const spriteNamed = new Map();
/** Sprites that an encounter has shown since the page was opened. @type {Set<Sprite>} */
const met = new Set();
/** @type {Sprite | undefined} */
let chosen;

// --- Sheets and regions ---------------------------------------------------------------------------------------------

/** @param {string} path relative to FOLDER @returns {Promise<HTMLImageElement>} */
async function loadImage(path) {
  const image = new Image();
  image.src = FOLDER + path;
  await image.decode();
  return image;
}

/**
 * Fills `spritesOf` and `spriteNamed`.
 * @param {Sheet[]} sheets @returns {Promise<string[]>} paths of the sheets that can't be read
 */
async function readSheets(sheets) {
  const loading = await Promise.allSettled(sheets.map((sheet) => loadImage(sheet.image)));
  const missing = [];
  for (const [place, { type, label, image: path, data }] of sheets.entries()) {
    const loaded = loading[place];
    if (loaded.status === "rejected") {
      missing.push(path);
      continue;
    }
    const sprites = spritesOf.get(type) ?? []; // a large type goes on to a second sheet
    spritesOf.set(type, sprites);
    for (const [name, { frame }] of Object.entries(data.frames)) {
      const sprite = { name, type, label, path, image: loaded.value, rect: frame };
      sprites.push(sprite);
      spriteNamed.set(name, sprite);
    }
  }
  return missing;
}

/**
 * Draws a sprite's region, pixel for pixel; CSS enlarges the canvas.
 * @param {HTMLCanvasElement} canvas @param {Sprite} sprite
 */
function draw(canvas, { image, rect: { x, y, w, h } }) {
  canvas.width = w;
  canvas.height = h;
  canvas.style.setProperty("--width", String(w));
  canvas.style.setProperty("--height", String(h));
  canvas.getContext("2d")?.drawImage(image, x, y, w, h, 0, 0, w, h);
}

// --- What the book says about a sprite: always the same for the same name -------------------------------------------

/** A whole number from 0 to 2³² − 1 (FNV-1a, then mixed). @param {string} text */
function hash(text) {
  let value = 2166136261;
  for (let place = 0; place < text.length; place++) value = Math.imul(value ^ text.charCodeAt(place), 16777619);
  value = Math.imul(value ^ (value >>> 15), 2246822507);
  return (value ^ (value >>> 13)) >>> 0;
}

/** @template T @param {T[]} list @param {string} seed */
const pick = (list, seed) => list[hash(seed) % list.length];

/** @param {Sprite} sprite */
const givenName = ({ name }) =>
  SYLLABLES.map((syllables, place) => pick(syllables.split(" "), `${name}/name${place}`)).join("");

/** @param {Sprite} sprite */
const lore = ({ name }) =>
  `Found ${pick(PLACES, `${name}/place`)}, ${pick(HOURS, `${name}/hour`)}. ${pick(RUMOURS, `${name}/rumour`)}`;

// --- The page -------------------------------------------------------------------------------------------------------

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {string} [text] @param {string} [className] */
function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

function showTabs() {
  for (const [type, sprites] of spritesOf) {
    const tab = make("a");
    const label = make("span", sprites[0].label, "label");
    label.dir = "auto";
    tab.append(label, make("span", "", "leader"), make("span", String(sprites.length), "count"));
    tab.href = `#${type}`;
    tab.role = "tab";
    tab.dataset.type = type;
    tab.setAttribute("aria-controls", "type-page");
    tab.setAttribute("aria-label", `${sprites[0].label}, ${sprites.length} sprites`);
    tabs.append(tab);
  }
}

/** One sprite on the wall. @param {Sprite} sprite */
function plate(sprite) {
  const button = make("button");
  const canvas = make("canvas");
  button.type = "button";
  button.role = "option";
  button.dataset.name = sprite.name;
  button.dataset.type = sprite.type;
  button.setAttribute("aria-label", `${givenName(sprite)}, ${sprite.name}`);
  button.classList.toggle("met", met.has(sprite));
  draw(canvas, sprite);
  button.append(canvas);
  button.addEventListener("click", () => choose(sprite));
  return button;
}

/** @param {string} type */
function showType(type) {
  const sprites = spritesOf.get(type) ?? [];
  the("h2", "type-heading").textContent = sprites[0].label;
  wall.replaceChildren(...sprites.map(plate));
  fitWall();
  mark(tabs, (tab) => tab.dataset.type === type);
}

/** A stat's name and its figure, which CSS draws a bar beside. @param {Sprite} sprite @param {string} stat */
function statRow({ name }, stat) {
  const value = 1 + (hash(`${name}/${stat}`) % BEST_STAT);
  const figure = make("dd", String(value));
  figure.style.setProperty("--part", String(value / BEST_STAT));
  return [make("dt", stat), figure];
}

/**
 * Makes one item the selected one, and the one that Tab reaches.
 * @param {Element} list @param {(item: HTMLElement) => boolean} test
 */
function mark(list, test) {
  for (const item of /** @type {Iterable<HTMLElement>} */ (list.children)) {
    const selected = test(item);
    item.setAttribute("aria-selected", String(selected));
    item.tabIndex = selected ? 0 : -1;
    if (selected) item.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** Opens the book at a sprite. @param {Sprite} sprite @param {string} [announcement] */
function show(sprite, announcement = "") {
  if (sprite.type !== chosen?.type) showType(sprite.type);
  chosen = sprite;
  mark(wall, (item) => item.dataset.name === sprite.name);

  const sprites = spritesOf.get(sprite.type) ?? [];
  const { x, y, w, h } = sprite.rect;
  the("p", "met-tally").textContent = `${sprites.filter((one) => met.has(one)).length} of ${sprites.length} met`;
  the("h2", "entry-name").textContent = givenName(sprite);
  the("p", "entry-number").textContent = `${sprites.indexOf(sprite) + 1}/${sprites.length}`;
  the("p", "frame-name").textContent = sprite.name;
  the("p", "lore").textContent = lore(sprite);
  the("p", "region").textContent = `${w} × ${h} at ${x}, ${y} on ${sprite.path}`;
  the("p", "announcement").textContent = announcement;
  the("article", "entry-card").dataset.name = sprite.name;
  document.title = `${givenName(sprite)} – Bestiary`;

  the("dl", "stats").replaceChildren(...STATS.flatMap((stat) => statRow(sprite, stat)));
  draw(portrait, sprite);
  portrait.setAttribute("aria-label", `${givenName(sprite)}, ${sprite.label}`);
  portrait.className = "";
  void portrait.offsetWidth; // lets the entrance play again
  portrait.className = announcement ? "appears" : "breathes";
  fitPortrait();
}

// --- Zoom: whole device pixels for every sprite pixel ---------------------------------------------------------------

/** The largest zoom at which the longest type fits the window, so that the wall's zoom is the same for every type. */
function fitWall() {
  const ratio = devicePixelRatio;
  const side = Math.max(...[...spriteNamed.values()].map(({ rect }) => Math.max(rect.w, rect.h))) / ratio;
  const count = Math.max(...[...spritesOf.values()].map((sprites) => sprites.length));
  const width = wall.clientWidth;
  const height = innerHeight - (wall.getBoundingClientRect().top + scrollY) - GAP;
  const em = parseFloat(getComputedStyle(wall).fontSize);
  const padding = width < 25 * em ? 12 : 24;
  const fits = (/** @type {number} */ zoom) => {
    const pitch = side * zoom + padding + GAP;
    const columns = Math.floor((width + GAP) / pitch);
    return side * zoom <= LARGEST * em && Math.ceil(count / columns) * pitch - GAP <= height;
  };
  let zoom = Math.ceil((SMALLEST * em) / side);
  while (fits(zoom + 1)) zoom++;
  wall.style.setProperty("--zoom", String(zoom / ratio));
  wall.style.setProperty("--plate-side", `${side * zoom + padding}px`);
}

function fitPortrait() {
  const stage = the("div", "stage");
  const { paddingTop, paddingBottom } = getComputedStyle(stage);
  const height = stage.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
  const zoom = Math.floor(Math.min(stage.clientWidth / portrait.width, height / portrait.height) * devicePixelRatio);
  portrait.style.setProperty("--zoom", String(Math.max(1, zoom) / devicePixelRatio));
}

// --- What the reader does -------------------------------------------------------------------------------------------

let addressTimer = 0;

/**
 * Shows a sprite, and writes it into the address once the reader rests: a held key is faster than browsers allow that.
 * @param {Sprite} sprite @param {string} [announcement]
 */
function choose(sprite, announcement) {
  show(sprite, announcement);
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, "", `#${sprite.name}`), 150);
}

/** Shows what the address names: a type (#dragon) or a sprite (#dragon_000003). */
function follow() {
  clearTimeout(addressTimer);
  const wanted = location.hash.slice(1);
  show(spriteNamed.get(wanted) ?? spritesOf.get(wanted)?.[0] ?? [...spriteNamed.values()][0]);
}

/** Meets a random sprite of the chosen type, another than the one in view. */
function encounter() {
  const others = (spritesOf.get(chosen?.type ?? "") ?? []).filter((sprite) => sprite !== chosen);
  const sprite = others[Math.floor(Math.random() * others.length)] ?? chosen;
  met.add(sprite);
  wall.querySelector(`[data-name="${sprite.name}"]`)?.classList.add("met");
  choose(sprite, `${givenName(sprite)} appears!`);
}

/**
 * Where a key leads from an item of a list that is wrapped into rows.
 * @param {HTMLElement[]} items @param {number} from @param {string} key
 */
function neighbour(items, from, key) {
  const last = items.length - 1;
  const columns = items.filter((item) => item.offsetTop === items[0].offsetTop).length;
  const isAboveLastRow = Math.floor(from / columns) < Math.floor(last / columns);
  switch (key) {
    case "ArrowLeft": return items[from - 1];
    case "ArrowRight": return items[from + 1];
    case "ArrowUp": return items[from - columns];
    case "ArrowDown": return items[isAboveLastRow ? Math.min(from + columns, last) : last + 1];
    case "Home": return items[0];
    case "End": return items[last];
  }
}

/** Arrow keys, Home and End move within the tabs and over the wall. @param {KeyboardEvent} event */
function walk(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const items = /** @type {HTMLElement[]} */ ([.../** @type {HTMLElement} */ (event.currentTarget).children]);
  const from = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = neighbour(items, from, event.key);
  if (!next) return;
  event.preventDefault();
  const { name, type = "" } = next.dataset;
  const sprite = name ? spriteNamed.get(name) : spritesOf.get(type)?.[0];
  if (sprite) choose(sprite);
  next.focus();
}

async function openBook() {
  const { assetgenSheets = [] } = /** @type {{assetgenSheets?: Sheet[]}} */ (globalThis);
  const missing = await readSheets(assetgenSheets);
  const paths = missing.flatMap((path, place) => [place ? ", " : "", make("code", FOLDER + path)]);
  the("span", "missing-list").append(...paths);
  document.documentElement.dataset.state = missing.length ? "broken" : spriteNamed.size ? "ready" : "empty";
  if (spriteNamed.size) {
    the("p", "tally").textContent = `${spriteNamed.size} entries of ${spritesOf.size} types`;
    showTabs();
    follow();
    addEventListener("hashchange", follow);
    addEventListener("resize", () => { fitWall(); fitPortrait(); });
    the("button", "encounter").addEventListener("click", encounter);
    for (const list of [tabs, wall]) list.addEventListener("keydown", walk);
  }
}

openBook();
