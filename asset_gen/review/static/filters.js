// The controls above the wall, and what they ask for.
import { element, figure, make } from "./dom.js";

/** @typedef {import("./model.js").View} View @typedef {import("./model.js").Wall} Wall */

const WAIT = 120; // milliseconds after a key, so that typing isn't slow

/** @param {() => void} changed Called when something else is asked for. */
export function filters(changed) {
  const select = (/** @type {string} */ id) => element(id, HTMLSelectElement), input = (/** @type {string} */ id) => element(id, HTMLInputElement);
  const type = select("type"), set = select("set"), state = select("state"), order = select("order"), score = select("score");
  const search = input("search"), low = input("low"), high = input("high");
  let waiting = 0;

  /** @param {HTMLSelectElement} control @param {[value: string, text: string][]} options */
  function fill(control, options) {
    const held = control.value;
    control.replaceChildren(...options.map(([value, textContent]) => make("option", { value, textContent })));
    control.value = options.some(([value]) => value === held) ? held : options[0]?.[0] ?? "";
  }

  function hint(/** @type {Wall} */ wall) {
    const one = wall.scores[Number(score.value)];
    low.placeholder = figure(one?.low);
    high.placeholder = figure(one?.high);
  }

  const number = (/** @type {HTMLInputElement} */ field) => (field.value === "" || Number.isNaN(field.valueAsNumber) ? null : field.valueAsNumber);

  return {
    /** @param {Wall} wall */
    fill(wall) {
      fill(type, [["", "all"], ...wall.types.map((name) => /** @type {[string, string]} */ ([name, name]))]);
      fill(set, [["", "all"], ...wall.sets.map((name) => /** @type {[string, string]} */ ([name, name]))]);
      element("sets", HTMLElement).hidden = wall.sets.length < 2;
      const known = wall.scores.flatMap(({ label, low }, at) => (low === null ? [] : [{ label, at }]));
      fill(score, known.map(({ label, at }) => [String(at), label]));
      const orders = known.flatMap(({ label, at }) => /** @type {[string, string][]} */ ([[`-${at}`, `${label}, highest first`], [`+${at}`, `${label}, lowest first`]]));
      fill(order, [["name", "name"], ...orders, ["-rating", "rating, highest first"], ["+rating", "rating, lowest first"]]);
      hint(wall);
      score.onchange = () => { hint(wall); changed(); };
    },
    /** @returns {View} */
    view: () => ({
      type: type.value, set: set.value, state: state.value, search: search.value, score: Number(score.value || 0),
      low: number(low), high: number(high), order: order.value || "name",
    }),
    /** Which score a caption tells. */
    told: () => (/^[-+]\d/.test(order.value) ? Number(order.value.slice(1)) : number(low) !== null || number(high) !== null ? Number(score.value) : 0),
    reset() {
      for (const control of [type, set, state]) control.value = "";
      for (const field of [search, low, high]) field.value = "";
      changed();
    },
    start() {
      for (const control of [type, set, state, order]) control.addEventListener("change", changed);
      for (const field of [search, low, high]) {
        field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(changed, WAIT); });
      }
    },
  };
}
