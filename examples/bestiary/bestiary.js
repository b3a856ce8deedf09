// A bestiary drawn from the sheets that assetgen wrote. sheets.js (target "generic") has put them into
// globalThis.assetgenSheets; everything here reads regions from it, as a game would.

/** @typedef {{x: number, y: number, w: number, h: number}} Rect */
/** @typedef {{name: string, type: string, image: string, rect: Rect}} Sprite */

const FOLDER = "assets/generated/";
const STATS = ["Might", "Guard", "Speed", "Luck"];
const SYLLABLES = "ar bel cor dun eth fal gor hul ith jor kel lum mor nar oth pyr quil rug sel tor ul vex wyr xan yl zor".split(" ");
const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Sprites by type, in sheet order. @type {Map<string, {label: string, sprites: Sprite[]}>} */
const types = new Map();
/** Loaded sheets by path. @type {Map<string, HTMLImageElement>} */
const images = new Map();
let type = "";
/** @type {Sprite | undefined} */
let chosen;

/** A whole number from 0 to 2^32 − 1 that belongs to a text. @param {string} text */
function hash(text) {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 16777619);
  value = Math.imul(value ^ (value >>> 15), 2246822507);
  return (value ^ (value >>> 13)) >>> 0;
}

/** The name a creature goes by in this game. @param {Sprite} sprite */
function givenName(sprite) {
  const seed = hash(sprite.name), count = 2 + (seed % 2);
  const name = Array.from({ length: count }, (_, place) => SYLLABLES[(seed >>> (5 * place + 3)) % SYLLABLES.length]).join("");
  return name[0].toUpperCase() + name.slice(1);
}

function readSheets() {
  for (const { type: kind, label, image, data } of globalThis.assetgenSheets) {
    const entry = types.get(kind) ?? { label, sprites: [] };
    types.set(kind, entry);
    for (const [name, { frame }] of Object.entries(data.frames)) {
      entry.sprites.push({ name, type: kind, image, rect: frame });
    }
  }
}

/** @param {string} path @returns {Promise<void>} */
function loadImage(path) {
  const image = new Image();
  image.src = FOLDER + path;
  images.set(path, image);
  return image.decode().catch(() => Promise.reject(new Error(path)));
}

/** Draw a region, pixel for pixel, onto a canvas that is shown enlarged. @param {Sprite} sprite @param {HTMLCanvasElement} canvas */
function paint({ image, rect }, canvas) {
  canvas.width = rect.w;
  canvas.height = rect.h;
  const sheet = /** @type {HTMLImageElement} */ (images.get(image));
  canvas.getContext("2d")?.drawImage(sheet, rect.x, rect.y, rect.w, rect.h, 0, 0, rect.w, rect.h);
}

function showTypes() {
  byId("types").replaceChildren(
    ...[...types].map(([kind, { label, sprites }]) => {
      const link = document.createElement("a");
      link.href = `#${kind}`;
      link.dataset.type = kind;
      const count = document.createElement("span");
      count.textContent = ` ${sprites.length}`;
      link.append(label, count);
      return link;
    }),
  );
}

function showType() {
  for (const link of byId("types").querySelectorAll("a")) {
    if (link.dataset.type === type) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const { label, sprites } = /** @type {{label: string, sprites: Sprite[]}} */ (types.get(type));
  byId("type-name").textContent = label;
  byId("wall").replaceChildren(
    ...sprites.map((sprite) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.name = sprite.name;
      button.dataset.type = sprite.type;
      button.setAttribute("aria-label", `${givenName(sprite)}, ${sprite.name}`);
      const canvas = document.createElement("canvas");
      paint(sprite, canvas);
      canvas.style.width = `${sprite.rect.w * Math.max(1, Math.floor(64 / sprite.rect.w))}px`;
      button.append(canvas);
      button.addEventListener("click", () => { location.hash = sprite.name; });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

function showCard() {
  if (!chosen) return;
  for (const button of byId("wall").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.name === chosen.name));
    button.tabIndex = button.dataset.name === chosen.name ? 0 : -1;
  }
  const portrait = /** @type {HTMLCanvasElement} */ (byId("portrait"));
  paint(chosen, portrait);
  portrait.setAttribute("aria-label", `Portrait of ${chosen.name}`);
  portrait.classList.remove("met");
  requestAnimationFrame(() => portrait.classList.add("met"));
  byId("given-name").textContent = givenName(chosen);
  byId("frame-name").textContent = chosen.name;
  byId("stats").replaceChildren(
    ...STATS.flatMap((stat) => {
      const value = 1 + (hash(`${chosen?.name}/${stat}`) % 20);
      const term = document.createElement("dt"), bar = document.createElement("dd"), figure = document.createElement("dd");
      const meter = document.createElement("div"), level = document.createElement("i");
      term.textContent = stat;
      meter.className = "meter";
      level.style.width = `${value * 5}%`;
      meter.append(level);
      bar.append(meter);
      bar.setAttribute("aria-hidden", "true");
      figure.textContent = String(value);
      return [term, bar, figure];
    }),
  );
  byId("card").hidden = false;
}

/** The address decides what is shown, so that any sprite can be linked to: #dragon or #dragon_000003. */
function follow() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const found = [...types.values()].flatMap(({ sprites }) => sprites).find(({ name }) => name === wanted);
  const next = found?.type ?? (types.has(wanted) ? wanted : type || [...types.keys()][0]);
  if (next !== type) {
    type = next;
    showType();
  }
  chosen = found ?? types.get(type)?.sprites[0];
  showCard();
}

function encounter() {
  const { sprites } = /** @type {{sprites: Sprite[]}} */ (types.get(type));
  const others = sprites.filter((sprite) => sprite !== chosen);
  const met = (others.length ? others : sprites)[Math.floor(Math.random() * Math.max(1, others.length))];
  location.hash = met.name;
}

/** Arrow keys walk over the wall. @param {KeyboardEvent} event */
function walk(event) {
  const buttons = [...byId("wall").querySelectorAll("button")];
  const place = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  if (place < 0) return;
  const columns = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const next = step && buttons[place + step];
  if (!next) return;
  event.preventDefault();
  location.hash = /** @type {string} */ (next.dataset.name);
  next.focus();
}

/** @param {"empty" | "broken"} state @param {string} html */
function say(state, html) {
  byId("page").hidden = true;
  byId("notice").hidden = false;
  byId("notice").innerHTML = html;
  byId("tally").textContent = "The pages are blank.";
  document.documentElement.dataset.state = state;
}

async function open() {
  if (!Array.isArray(globalThis.assetgenSheets)) {
    say("empty", "<h2>No creatures yet</h2><p>Run <code>make demo</code> at the top of the repository, or <code>assetgen batch --count 500 --scale 2 --project examples/bestiary</code>, and open this page again.</p>");
    return;
  }
  readSheets();
  try {
    await Promise.all([...new Set([...types.values()].flatMap(({ sprites }) => sprites.map(({ image }) => image)))].map(loadImage));
  } catch (error) {
    say("broken", "<h2>A sheet can't be read</h2><p>The file <code></code> is missing or damaged; the same <code>assetgen batch</code> command restores it.</p>");
    /** @type {HTMLElement} */ (byId("notice").querySelector("code")).textContent = FOLDER + /** @type {Error} */ (error).message;
    return;
  }
  const count = [...types.values()].reduce((sum, { sprites }) => sum + sprites.length, 0);
  byId("tally").textContent = `${count} entries of ${types.size} types, none of them seen before`;
  showTypes();
  follow();
  addEventListener("hashchange", follow);
  byId("encounter").addEventListener("click", encounter);
  byId("wall").addEventListener("keydown", walk);
  document.documentElement.dataset.state = "ready";
}

open();
