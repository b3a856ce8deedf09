// Shows a candidate set: sorted, filtered, and drawn only where somebody looks, so that 10,000 sprites stay fluid.
"use strict";

/**
 * @typedef {{name: string, label: string, low: number | null, high: number | null, kept: number[], rest: number[]}} Score
 * @typedef {[name: string, type: string, kept: number, reason: string, image: string, scores: (number | null)[], nearest: [string, number][]]} Sprite
 * @typedef {{scores: Score[], sprites: Sprite[]}} Candidates
 */

const NAME = 0, TYPE = 1, KEPT = 2, REASON = 3, IMAGE = 4, SCORES = 5, NEAREST = 6;
const ROWS = 8; // of a chunk, which is drawn or left out as a whole
const FRAME = 12; // what a tile is wider than its picture, in pixels
const SVG = "http://www.w3.org/2000/svg";

/** @template {Element} E @param {string} id @param {new () => E} kind @returns {E} */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {Partial<HTMLElementTagNameMap[T]>} [properties] @param {(Node | string)[]} children @returns {HTMLElementTagNameMap[T]} */
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/** @param {string} tag @param {Record<string, string>} attributes */
function draw(tag, attributes) {
  const drawn = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) drawn.setAttribute(name, value);
  return drawn;
}

/** A figure as a person reads it. @param {number | null | undefined} value */
function figure(value) {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(3)));
}

/** A figure as it fits below a small sprite: three decimals at most. @param {number | null | undefined} value */
function caption(value) {
  return figure(typeof value === "number" ? Number(value.toFixed(3)) : value);
}

/** What reasons have in common: all up to the first name or number. @param {string} reason */
function reasonGroup(reason) {
  const words = reason.split(" ");
  const end = words.findIndex((word) => /[0-9"'/_]|\.\w/.test(word));
  return (end > 0 ? words.slice(0, end) : words).join(" ").replace(/[:,;]$/, "");
}

/** @param {Candidates} data */
function begin({ scores, sprites }) {
  const side = Number(document.body.dataset["side"]);
  const main = element("main", HTMLElement);
  const kind = element("kind", HTMLSelectElement), state = element("state", HTMLSelectElement);
  const reason = element("reason", HTMLSelectElement), order = element("order", HTMLSelectElement);
  const zoom = element("zoom", HTMLSelectElement), grouped = element("grouped", HTMLInputElement);
  const dialog = element("one", HTMLDialogElement);

  const groups = sprites.map((sprite) => reasonGroup(sprite[REASON]));
  /** Lower and upper limit of every score; null: none. @type {[low: number | null, high: number | null][]} */
  const limits = scores.map(() => [null, null]);
  /** What is shown, in order. @type {Sprite[]} */
  let shown = [];
  /** Where every shown sprite's tile belongs. @type {Map<Element, {start: number, stop: number, drawn: boolean}>} */
  const chunks = new Map();
  let columns = 1, current = 0, opened = 0;
  /** @type {IntersectionObserver | undefined} */
  let watcher;

  function fillControls() {
    const counts = new Map();
    for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
    for (const [group, count] of [...counts].sort((a, b) => b[1] - a[1])) {
      reason.append(make("option", { value: group, textContent: `${group} (${count})` }));
    }
    scores.forEach(({ label, low }, place) => {
      if (low === null) return;
      order.append(make("option", { value: `-${place}`, textContent: `${label}, highest first` }));
      order.append(make("option", { value: `+${place}`, textContent: `${label}, lowest first` }));
    });
    zoom.value = String(side >= 64 ? 1 : side >= 32 ? 2 : 4);
    element("histograms", HTMLElement).append(...scores.map(histogram));
  }

  /** A score's spread over kept and other candidates, with its limits. @param {Score} score @param {number} place */
  function histogram(score, place) {
    const { label, low, high, kept, rest } = score;
    const caption = make("figcaption", { textContent: label });
    if (low === null || high === null) return make("figure", {}, caption, make("p", { textContent: "not known of any candidate" }));
    const share = (/** @type {number[]} */ bins) => bins.map((bin) => bin / Math.max(1, bins.reduce((sum, one) => sum + one, 0)));
    const shares = { rest: share(rest), kept: share(kept) };
    const top = Math.max(...shares.rest, ...shares.kept, Number.MIN_VALUE);
    const svg = draw("svg", { viewBox: `0 0 ${kept.length} 1`, preserveAspectRatio: "none", role: "img" });
    const middle = (/** @type {number[]} */ bins) => {
      let left = bins.reduce((sum, one) => sum + one, 0) / 2;
      const bin = bins.findIndex((one) => (left -= one) <= 0);
      return left === 0 && !bins.some(Boolean) ? "none" : `about ${figure(low + ((bin + 0.5) / bins.length) * (high - low))}`;
    };
    svg.setAttribute("aria-label", `${label}, from ${figure(low)} to ${figure(high)}; median of the kept ${middle(kept)}, of the others ${middle(rest)}`);
    for (const [name, bins] of Object.entries(shares)) {
      const steps = bins.map((bin, at) => `V${(1 - (0.96 * bin) / top).toFixed(4)}H${at + 1}`).join("");
      svg.append(draw("path", { class: name, d: `M0 1${steps}V1Z` }));
    }
    const ends = make("div", { className: "ends" }, make("span", { textContent: figure(low) }), make("span", { textContent: figure(high) }));
    const inputs = ["from", "to"].map((word, end) => {
      const input = make("input", { type: "number", step: "any", placeholder: figure(end ? high : low) });
      input.setAttribute("aria-label", `${label} ${word}`);
      input.dataset["score"] = score.name;
      input.dataset["end"] = word;
      input.addEventListener("input", () => {
        const limit = limits[place];
        if (limit) limit[end] = input.value === "" ? null : input.valueAsNumber;
        show();
      });
      return make("label", {}, word, input);
    });
    return make("figure", {}, caption, svg, ends, make("div", { className: "range" }, ...inputs));
  }

  /** What is asked for, in the order asked for; the controls are read once, since there may be 100,000 sprites. */
  function chosen() {
    const [type, kept, why] = [kind.value, state.value, reason.value];
    const active = limits.map(([low, high], place) => ({ place, low: low ?? -Infinity, high: high ?? Infinity }))
      .filter(({ low, high }) => low !== -Infinity || high !== Infinity);
    const found = sprites.filter((sprite, at) =>
      (!type || sprite[TYPE] === type) && (!kept || String(sprite[KEPT]) === kept) && (!why || groups[at] === why) &&
      active.every(({ place, low, high }) => {
        const value = sprite[SCORES][place] ?? null;
        return value !== null && value >= low && value <= high;
      }));
    const byType = grouped.checked, byName = order.value === "name";
    const place = Number(order.value.slice(1)), sign = order.value.startsWith("-") ? -1 : 1;
    const unknown = sign * Infinity; // comes last
    return found.sort((a, b) => {
      if (byType && a[TYPE] !== b[TYPE]) return a[TYPE] < b[TYPE] ? -1 : 1;
      if (!byName) {
        const mine = a[SCORES][place] ?? unknown, other = b[SCORES][place] ?? unknown;
        if (mine !== other) return mine < other ? -sign : sign;
      }
      return a[NAME] < b[NAME] ? -1 : 1;
    });
  }

  function tile(/** @type {number} */ place) {
    const sprite = shown[place];
    if (!sprite) throw new Error(`no sprite ${place}`);
    const by = order.value === "name" ? 0 : Number(order.value.slice(1));
    const image = make("img", { src: sprite[IMAGE], alt: "", decoding: "async" });
    const text = `${Number(sprite[NAME].split("_c").pop())} · ${caption(sprite[SCORES][by])}`;
    const button = make("button", { type: "button", className: sprite[KEPT] ? "tile kept" : "tile", title: `${sprite[NAME]}\n${sprite[REASON]}` }, image, make("span", { textContent: text }));
    button.setAttribute("aria-label", `${sprite[NAME]}, ${sprite[KEPT] ? "kept" : "not kept"}, ${scores[by]?.label} ${figure(sprite[SCORES][by])}, ${sprite[REASON]}`);
    button.tabIndex = place === current ? 0 : -1;
    button.dataset["place"] = String(place);
    const item = make("div", {}, button);
    item.setAttribute("role", "listitem");
    item.setAttribute("aria-setsize", String(shown.length));
    item.setAttribute("aria-posinset", String(place + 1));
    return item;
  }

  /** Draw a chunk, or leave its place empty. @param {Element} box @param {boolean} near */
  function drawChunk(box, near) {
    const chunk = chunks.get(box);
    if (!chunk || chunk.drawn === near || (!near && box.contains(document.activeElement))) return;
    chunk.drawn = near;
    box.replaceChildren(...(near ? Array.from({ length: chunk.stop - chunk.start }, (_, at) => tile(chunk.start + at)) : []));
  }

  /** Sprites from one place to another, without a heading. @param {number} start @param {number} stop */
  function wall(start, stop) {
    const box = make("div");
    box.setAttribute("role", "list");
    for (let at = start; at < stop; at += columns * ROWS) {
      const end = Math.min(at + columns * ROWS, stop);
      const rows = Math.ceil((end - at) / columns);
      const chunk = make("div", { className: "chunk" });
      chunk.setAttribute("role", "presentation");
      chunk.style.height = `calc(${rows} * var(--tile) + ${rows - 1} * var(--gap))`;
      chunks.set(chunk, { start: at, stop: end, drawn: false });
      box.append(chunk);
    }
    return box;
  }

  /** @param {number} start */
  function heading(start) {
    const type = shown[start]?.[TYPE] ?? "";
    let stop = start, kept = 0;
    for (; shown[stop]?.[TYPE] === type; stop++) kept += shown[stop]?.[KEPT] ?? 0;
    return { stop, box: make("h2", {}, type, make("span", { textContent: ` ${kept} kept of ${stop - start}` })) };
  }

  function fit() {
    const width = main.clientWidth - parseFloat(getComputedStyle(main).paddingLeft) * 2;
    return Math.max(1, Math.floor((width + 6) / (side * Number(zoom.value) + FRAME + 6)));
  }

  function show() {
    document.documentElement.style.setProperty("--side", `${side * Number(zoom.value)}px`);
    shown = chosen();
    columns = fit();
    document.documentElement.style.setProperty("--columns", String(columns));
    current = 0;
    watcher?.disconnect();
    chunks.clear();
    main.replaceChildren();
    for (let at = 0; at < shown.length; ) {
      const { stop, box } = grouped.checked ? heading(at) : { stop: shown.length, box: "" };
      main.append(box, wall(at, stop));
      at = stop;
    }
    if (!shown.length) main.append(make("p", { textContent: "No candidate is like that." }));
    watcher = new IntersectionObserver((entries) => { for (const entry of entries) drawChunk(entry.target, entry.isIntersecting); }, { rootMargin: "800px 0px" });
    for (const chunk of chunks.keys()) watcher.observe(chunk);
    const first = chunks.keys().next().value;
    if (first) drawChunk(first, true);
    element("count", HTMLElement).textContent = `${shown.length} of ${sprites.length} shown, ${shown.filter((sprite) => sprite[KEPT]).length} kept`;
  }

  /** The tile of a shown sprite, drawn for it if need be. @param {number} place @returns {HTMLElement | null} */
  function tileAt(place) {
    for (const [box, { start, stop }] of chunks) {
      if (place < start || place >= stop) continue;
      drawChunk(box, true);
      return box.querySelector(`[data-place="${place}"]`);
    }
    return null;
  }

  /** @param {number} place */
  function focus(place) {
    const next = Math.max(0, Math.min(shown.length - 1, place));
    main.querySelector(`[data-place="${current}"]`)?.setAttribute("tabindex", "-1");
    current = next;
    const button = tileAt(next);
    if (!button) return;
    button.tabIndex = 0;
    button.focus({ preventScroll: true });
    button.scrollIntoView({ block: "nearest" });
  }

  /** All that is known of one. @param {number} place */
  function open(place) {
    const sprite = shown[place];
    if (!sprite) return;
    opened = place;
    element("one-name", HTMLElement).textContent = sprite[NAME];
    element("one-reason", HTMLElement).textContent = `${sprite[KEPT] ? "Kept" : "Not kept"}: ${sprite[REASON]}`;
    const image = element("one-image", HTMLImageElement);
    image.src = sprite[IMAGE];
    image.alt = sprite[NAME];
    image.width = image.height = side * Math.max(1, Math.floor(192 / side));
    const line = (/** @type {string} */ name, /** @type {string} */ value) => make("tr", {}, Object.assign(make("th", { textContent: name }), { scope: "row" }), make("td", { textContent: value }));
    element("one-scores", HTMLElement).replaceChildren(...scores.map(({ label }, at) => line(label, figure(sprite[SCORES][at]))));
    const near = element("one-near", HTMLTableElement);
    near.hidden = !sprite[NEAREST].length;
    near.tBodies[0]?.replaceChildren(...sprite[NEAREST].map(([name, distance]) => line(name, figure(distance) + (sprite[REASON] === `copy of ${name}` ? " (a copy)" : ""))));
    element("before", HTMLButtonElement).disabled = place === 0;
    element("after", HTMLButtonElement).disabled = place === shown.length - 1;
    if (!dialog.open) dialog.showModal();
  }

  /** @type {Record<string, () => number>} */
  const steps = {
    ArrowLeft: () => current - 1,
    ArrowRight: () => current + 1,
    ArrowUp: () => current - columns,
    ArrowDown: () => current + columns,
    Home: () => 0,
    End: () => shown.length - 1,
  };
  main.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    focus(step());
  });
  main.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest(".tile") : null;
    if (!(button instanceof HTMLElement)) return;
    focus(Number(button.dataset["place"]));
    open(current);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") open(opened - 1);
    else if (event.key === "ArrowRight") open(opened + 1);
  });
  dialog.addEventListener("close", () => focus(opened));
  element("before", HTMLElement).addEventListener("click", () => open(opened - 1));
  element("after", HTMLElement).addEventListener("click", () => open(opened + 1));
  element("close", HTMLElement).addEventListener("click", () => dialog.close());
  for (const control of [kind, state, reason, order, zoom, grouped]) control.addEventListener("change", show);
  element("reset", HTMLElement).addEventListener("click", () => {
    for (const control of [kind, state, reason]) control.value = "";
    for (const input of document.querySelectorAll("#histograms input")) if (input instanceof HTMLInputElement) input.value = "";
    for (const limit of limits) limit.fill(null);
    show();
  });
  fillControls();
  show();
  new ResizeObserver(() => { if (fit() !== columns) show(); }).observe(main);
}

const data = /** @type {{candidates?: Candidates}} */ (globalThis).candidates;
if (data) begin(data);
else element("broken", HTMLElement).hidden = false;
