// A chart of lines over steps: an SVG that says its values where the pointer or the keyboard is.
import { figure } from "./dom.js";

/** @typedef {Record<string, number | string>} Line */
/** @typedef {{key: string, label: string}} Series */

const WIDTH = 420, HEIGHT = 180, LEFT = 46, BOTTOM = 22, TOP = 8, RIGHT = 8;
const NS = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} title @param {Series[]} series @param {Line[]} lines @returns {HTMLElement | null} Null where there is nothing to draw. */
export function chart(title, series, lines) {
  const present = series.filter(({ key }) => lines.some((line) => typeof line[key] === "number"));
  if (!present.length) return null;
  const values = lines.flatMap((line) => present.map(({ key }) => line[key])).filter((value) => typeof value === "number");
  const steps = lines.map((line) => Number(line["step"]));
  const low = Math.min(...values, ...(Math.min(...values) >= 0 ? [0] : [])), high = Math.max(...values);
  const first = Math.min(...steps), last = Math.max(...steps);
  const x = (/** @type {number} */ step) => LEFT + ((WIDTH - LEFT - RIGHT) * (step - first)) / Math.max(1, last - first);
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (value - low)) / Math.max(1e-12, high - low);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} over steps; the last: ${present.map(({ key, label }) => `${label} ${figure(Number(lines.findLast((line) => typeof line[key] === "number")?.[key]))}`).join(", ")}` });
  for (const value of [low, (low + high) / 2, high]) {
    picture.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }), svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, figure(value)));
  }
  picture.append(svg("text", { x: LEFT, y: HEIGHT - 6 }, first.toLocaleString("en")), svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `step ${last.toLocaleString("en")}`));
  present.forEach(({ key }, place) => {
    const points = lines.filter((line) => typeof line[key] === "number").map((line) => [x(Number(line["step"])), y(Number(line[key]))]);
    picture.append(svg("polyline", { points: points.map((point) => point.join()).join(" "), class: `line line-${place}` }));
    if (points.length < 30) for (const [cx = 0, cy = 0] of points) picture.append(svg("circle", { cx, cy, r: 2.5, class: `dot dot-${place}` }));
  });
  const cursor = svg("line", { y1: TOP, y2: HEIGHT - BOTTOM, class: "cursor", visibility: "hidden" });
  picture.append(cursor);
  const told = document.createElement("p"), place = document.createElement("figure"), head = document.createElement("figcaption");
  told.className = "values";
  head.textContent = title;

  /** @param {number} at */
  const tell = (at) => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, at))] ?? {};
    cursor.setAttribute("x1", String(x(Number(line["step"]))));
    cursor.setAttribute("x2", String(x(Number(line["step"]))));
    told.replaceChildren(...present.map(({ key, label }, number) => {
      const word = document.createElement("span");
      word.className = `key key-${number}`;
      word.textContent = `${label} ${typeof line[key] === "number" ? figure(Number(line[key])) : "–"}`;
      return word;
    }), `step ${Number(line["step"]).toLocaleString("en")}`);
  };
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect(), step = first + ((((/** @type {PointerEvent} */ (event).clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT)) * (last - first);
    cursor.setAttribute("visibility", "visible");
    tell(steps.reduce((best, one, at) => (Math.abs(one - step) < Math.abs((steps[best] ?? 0) - step) ? at : best), 0));
  });
  picture.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    tell(lines.length - 1);
  });
  tell(lines.length - 1);
  place.append(head, told, picture);
  return place;
}
