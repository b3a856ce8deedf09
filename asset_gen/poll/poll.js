// Two sprites of one type at a time, in an order of its own for every visitor; what was chosen stays on this machine
// until the visitor saves it. globalThis.ballot: {poll, title, comparisons, sprites: [[id, type], …]}.
import { download, keepFor, kept } from "./dom.js";

const $ = (id) => document.getElementById(id);

function shuffled(things) {
  const list = [...things];
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

/** Every sprite once, paired within its type; of an odd number one waits for the next round. */
function round(sprites) {
  const types = new Map();
  for (const [id, type] of sprites) types.set(type, [...(types.get(type) ?? []), id]);
  const pairs = [];
  for (const ids of types.values()) {
    const order = shuffled(ids);
    for (let at = 0; at + 1 < order.length; at += 2) pairs.push([order[at], order[at + 1]]);
  }
  return shuffled(pairs);
}

/** So many pairs; none twice until all have been seen in one round. */
function pairsFor(sprites, count) {
  const pairs = [];
  while (pairs.length < count) pairs.push(...round(sprites));
  return pairs.slice(0, count);
}

function begin(ballot) {
  const key = `assetgen poll ${ballot.poll}`;
  const voter = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  let state = { voter: voter(), pairs: pairsFor(ballot.sprites, ballot.comparisons), votes: [] };
  const held = kept(localStorage, key), known = new Set(ballot.sprites.map(([id]) => id));
  if (held?.pairs?.length && held.pairs.flat().every((id) => known.has(id))) state = held;

  function keep() {
    keepFor(localStorage, key, state);
  }

  function show() {
    const at = state.votes.length;
    const over = at >= state.pairs.length;
    $("pair").hidden = over;
    $("end").hidden = !over;
    $("undo").disabled = at === 0;
    $("progress").max = state.pairs.length;
    $("progress").value = at;
    $("place").textContent = over ? `${at} comparisons made` : `${at + 1} of ${state.pairs.length}`;
    if (over) return $("save").focus();
    state.pairs[at].forEach((id, side) => { $(side ? "right" : "left").querySelector("img").src = `sprites/${id}.png`; });
    const next = state.pairs[at + 1] ?? [];
    for (const id of next) new Image().src = `sprites/${id}.png`;
  }

  function vote(won) {
    if (state.votes.length >= state.pairs.length) return;
    const [left, right] = state.pairs[state.votes.length];
    state.votes.push({ left, right, won });
    keep();
    show();
  }

  function undo() {
    state.votes.pop();
    keep();
    show();
  }

  function save() {
    const { voter, votes } = state;
    download(`votes-${voter}.json`, { format: 1, poll: ballot.poll, voter, votes });
  }

  for (const image of document.querySelectorAll("#pair img")) {
    image.addEventListener("load", () => image.style.setProperty("--side", `${image.naturalWidth}px`));
  }
  for (const won of ["left", "right", "tie"]) $(won).addEventListener("click", () => vote(won));
  $("undo").addEventListener("click", undo);
  $("save").addEventListener("click", save);
  $("more").addEventListener("click", () => {
    state.pairs.push(...pairsFor(ballot.sprites, ballot.comparisons));
    keep();
    show();
  });
  const keys = { ArrowLeft: () => vote("left"), ArrowRight: () => vote("right"), ArrowDown: () => vote("tie"), u: undo, U: undo, Backspace: undo };
  addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  $("title").textContent = document.title = ballot.title;
  keep();
  show();
}

if (globalThis.ballot) begin(globalThis.ballot);
else $("broken").hidden = false;
