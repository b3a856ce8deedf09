// What is known of all sprites: filtered, ordered, decided about. Knows no page.

/**
 * @typedef {"published" | "kept" | "rejected" | "candidate"} State
 * @typedef {"keep" | "reject" | "restore" | "rate" | "note"} Action
 * @typedef {{id: string, action: Action, value?: number | null, why?: string}} Wish
 * @typedef {{name: string, label: string, low: number | null, high: number | null}} Score
 * @typedef {{id: string, name: string, slot: string, type: string, set: string, state: State, reason: string, rating: number | null, scores: (number | null)[]}} Sprite
 * @typedef {[id: string, name: string, slot: string, type: number, set: number, state: State, reason: string, rating: number | null, scores: (number | null)[]]} Row
 * @typedef {{version: string, project: string, side: number, types: string[], sets: string[], scores: Score[], sprites: Row[], problems: string[], read_only?: boolean, trouble?: string, who?: string}} Wall
 * @typedef {[id: string, state: State, reason: string, rating: number | null]} Change
 * @typedef {{type: string, set: string, state: string, search: string, score: number, low: number | null, high: number | null, order: string}} View
 */

/** Rows with their types and sets by name. @param {Wall} wall @returns {Sprite[]} */
export function spritesOf(wall) {
  return wall.sprites.map(([id, name, slot, type, set, state, reason, rating, scores]) => ({
    id, name, slot, type: wall.types[type] ?? "", set: wall.sets[set] ?? "", state, reason, rating, scores,
  }));
}

/** @type {Record<string, (sprite: Sprite) => boolean>} */
const STATES = {
  open: (sprite) => sprite.state === "published" || sprite.state === "candidate",
  kept: (sprite) => sprite.state === "kept",
  rejected: (sprite) => sprite.state === "rejected",
  in: (sprite) => sprite.slot !== "",
  out: (sprite) => sprite.slot === "",
};

/** What a person asks for, in the order asked for; what has no figure comes last. @param {readonly Sprite[]} sprites @param {View} view */
export function chosen(sprites, view) {
  const state = STATES[view.state] ?? (() => true);
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const limited = view.low !== null || view.high !== null;
  const low = view.low ?? -Infinity, high = view.high ?? Infinity;
  const found = sprites.filter((sprite) => {
    if ((view.type && sprite.type !== view.type) || (view.set && sprite.set !== view.set) || !state(sprite)) return false;
    if (limited) {
      const value = sprite.scores[view.score] ?? null;
      if (value === null || value < low || value > high) return false;
    }
    const text = words.length ? `${sprite.name} ${sprite.slot} ${sprite.type} ${sprite.reason}`.toLowerCase() : "";
    return words.every((word) => text.includes(word));
  });
  if (view.order === "name") return found;
  const sign = view.order.startsWith("-") ? -1 : 1, place = view.order.slice(1);
  const value = place === "rating" ? (/** @type {Sprite} */ sprite) => sprite.rating : (/** @type {Sprite} */ sprite) => sprite.scores[Number(place)] ?? null;
  return found.map((sprite, at) => ({ sprite, at, by: (value(sprite) ?? sign * Infinity) * sign }))
    .sort((a, b) => (a.by === b.by ? a.at - b.at : a.by - b.by)).map(({ sprite }) => sprite);
}

/** What a sprite becomes when this is decided. @param {Sprite} sprite @param {Wish} wish */
export function apply(sprite, { action, value }) {
  if (action === "rate") sprite.rating = value ?? null;
  else if (action === "keep") sprite.state = "kept";
  else if (action === "reject") sprite.state = "rejected";
  else if (action === "restore") sprite.state = sprite.slot ? "published" : "candidate";
}

/** What would take it back; null: it would change nothing. @param {Sprite} sprite @param {Wish} wish @returns {Wish | null} */
export function opposite(sprite, { action, value }) {
  const { id, state, rating } = sprite;
  if (action === "rate") return rating === (value ?? null) ? null : { id, action, value: rating };
  const before = state === "kept" ? "keep" : state === "rejected" ? "reject" : "restore";
  return action === "note" || action === before ? null : { id, action: before };
}

/** What a person calls it. @param {Sprite} sprite */
export function nameOf(sprite) {
  return sprite.slot || sprite.name;
}

/** @type {Record<State, string>} */
export const WORDS = { published: "in the game", kept: "kept", rejected: "rejected", candidate: "candidate" };
