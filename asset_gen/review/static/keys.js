// Every key, what it does, and what the help says of it.
import { element, make } from "./dom.js";

/** @typedef {{keys: string[], shown: string, told: string, does: string}} Key */

/** @type {Key[]} */
export const KEYS = [
  { keys: ["ArrowLeft"], shown: "← → ↑ ↓", told: "go to another sprite; with Shift: choose on the way", does: "left" },
  { keys: ["ArrowRight"], shown: "", told: "", does: "right" },
  { keys: ["ArrowUp"], shown: "", told: "", does: "up" },
  { keys: ["ArrowDown"], shown: "", told: "", does: "down" },
  { keys: ["PageUp"], shown: "Page up, down, Home, End", told: "go further", does: "pageUp" },
  { keys: ["PageDown"], shown: "", told: "", does: "pageDown" },
  { keys: ["Home"], shown: "", told: "", does: "first" },
  { keys: ["End"], shown: "", told: "", does: "last" },
  { keys: ["k"], shown: "K", told: "keep, and go on", does: "keep" },
  { keys: ["r"], shown: "R", told: "reject, and go on", does: "reject" },
  { keys: ["o"], shown: "O", told: "leave open: take keep or reject back", does: "leave" },
  { keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], shown: "1 – 9", told: "rate; 9 is best", does: "rate" },
  { keys: ["0"], shown: "0", told: "take the rating back", does: "unrate" },
  { keys: ["u"], shown: "U", told: "undo, as often as you like", does: "undo" },
  { keys: [" "], shown: "Space", told: "large, and back; all keys go on there", does: "zoom" },
  { keys: ["Enter"], shown: "Enter", told: "all that is known of the sprite, and back", does: "panel" },
  { keys: ["x"], shown: "X", told: "choose this one, too", does: "choose" },
  { keys: ["a"], shown: "A", told: "choose all that are shown", does: "chooseAll" },
  { keys: ["Escape"], shown: "Escape", told: "choose none", does: "chooseNone" },
  { keys: ["+", "="], shown: "+ –", told: "larger, smaller", does: "larger" },
  { keys: ["-"], shown: "", told: "", does: "smaller" },
  { keys: ["l"], shown: "L", told: "draw more like this one", does: "like" },
  { keys: ["n"], shown: "N", told: "draw new ones of its type", does: "fresh" },
  { keys: ["m"], shown: "M", told: "remember this one, to draw what is between it and another", does: "remember" },
  { keys: ["/"], shown: "/", told: "search by name", does: "search" },
  { keys: ["p"], shown: "P", told: "publish", does: "publish" },
  { keys: ["?"], shown: "?", told: "this table", does: "help" },
];

/** Listen to keys, wherever the person is but in a field. @param {Record<string, (event: KeyboardEvent) => void>} acts */
export function listen(acts) {
  const table = new Map(KEYS.flatMap((key) => key.keys.map((name) => [name, key.does])));
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "z" && !event.altKey && !inField(event)) return run(event, "undo");
      return;
    }
    const does = table.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!does || inField(event)) return;
    const dialog = document.querySelector("dialog[open]");
    if (dialog && (dialog.id !== "large" || ["publish", "help", "search", "panel", "chooseNone", "like", "fresh", "remember"].includes(does))) return;
    const onButton = event.target instanceof Element && event.target.closest("button, summary, a");
    if (onButton && (event.key === " " || event.key === "Enter") && !(dialog && event.key === " ")) return;
    run(event, does);
  });

  /** @param {KeyboardEvent} event @param {string} does */
  function run(event, does) {
    const act = acts[does];
    if (!act) return;
    event.preventDefault();
    act(event);
  }
}

/** @param {KeyboardEvent} event */
function inField(event) {
  const at = event.target;
  if (event.key === "Escape" && at instanceof HTMLElement && at.matches("input")) at.blur();
  return at instanceof HTMLElement && at.matches("input:not([type=range]), select, textarea, input[type=range]");
}

/** The help's table. @param {Record<string, unknown>} acts Keys without an act aren't told. */
export function fillHelp(acts) {
  const rows = KEYS.filter((key) => key.shown && acts[key.does]).map(({ shown, told }) => {
    const head = make("th", {}, make("kbd", { textContent: shown }));
    head.scope = "row";
    return make("tr", {}, head, make("td", { textContent: told }));
  });
  element("keys", HTMLElement).replaceChildren(...rows);
}
