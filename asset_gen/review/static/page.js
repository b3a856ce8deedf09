// Puts the wall, its controls, its keys and what is decided together.
import { backdrop } from "./backdrop.js";
import { Decisions } from "./decide.js";
import { banner, count, element, kept, keepFor, say } from "./dom.js";
import { filters } from "./filters.js";
import { Grid } from "./grid.js";
import { fillHelp, listen } from "./keys.js";
import { Large } from "./large.js";
import { Making } from "./making.js";
import { chosen, nameOf, spritesOf } from "./model.js";
import { Panel } from "./panel.js";

/** @typedef {import("./model.js").Action} Action @typedef {import("./model.js").Sprite} Sprite @typedef {import("./model.js").Wall} Wall @typedef {import("./model.js").Wish} Wish */
/**
 * Where the page gets what it shows, and what it does with decisions: the studio, or a file.
 * @typedef {{live: boolean, load: () => Promise<Wall>, decide: (wishes: Wish[]) => Promise<unknown>, picture: (sprite: Sprite) => string, about: (id: string, signal: AbortSignal) => Promise<any>, listen: (hears: Record<string, (told: any) => void>, there: (there: boolean) => void) => void, publish?: {open: () => unknown, progress: (told: any) => void}, ask?: (path: string, body?: unknown, signal?: AbortSignal) => Promise<any>}} Desk
 * ``publish`` where the desk can, ``ask`` where there is a studio that draws.
 */

const ZOOM = "assetgen zoom";
const AGAIN = 1000; // milliseconds until the studio is asked again
/** @type {Partial<Record<Action, string>>} */
const DONE = { keep: "kept", reject: "rejected", restore: "left open", rate: "rated" };

/** @param {Desk} desk */
export async function begin(desk) {
  const readOnly = "readOnly" in document.body.dataset;
  const show = (/** @type {string} */ id, /** @type {boolean} */ there) => { element(id, HTMLElement).hidden = !there; };
  const { ask, picture } = desk;
  const making = ask && !readOnly ? new Making({ ask: ask.bind(desk), picture: picture.bind(desk) }, () => second()) : undefined;
  const panel = new Panel(desk, making), large = new Large(desk);
  const controls = filters(() => arrange());
  const grid = new Grid(element("wall", HTMLElement), element("board", HTMLElement), {
    picture: (sprite) => desk.picture(sprite),
    moved: () => follow(),
    opened: () => panel.toggle(true),
  });
  /** @type {Map<string, Sprite>} */
  const byId = new Map();
  /** @type {Sprite[]} */
  let sprites = [];
  let version = "";
  /** @type {Decisions | undefined} */
  let decisions;

  /** Read everything. @returns {Promise<void>} */
  async function load() {
    let wall;
    try {
      wall = await desk.load();
    } catch (error) {
      if (!sprites.length) {
        show("loading", false);
        show("broken", true);
        document.body.classList.remove("new");
        if (desk.live) element("broken-why", HTMLElement).textContent = error instanceof Error && "status" in error ? error.message : "It may have been stopped. This page goes on by itself when it is there again.";
      }
      if (desk.live) setTimeout(load, AGAIN);
      return;
    }
    version = wall.version;
    sprites = spritesOf(wall);
    byId.clear();
    for (const sprite of sprites) byId.set(sprite.id, sprite);
    decisions ??= new Decisions(wall.project, desk, byId, { changed: () => decided(), refused });
    decisions.reapply();
    grid.side = wall.side;
    if (!grid.rows.size) setZoom(Number(kept(localStorage, ZOOM)) || Math.max(1, Math.min(8, Math.round(96 / wall.side))));
    for (const id of ["loading", "broken"]) show(id, false);
    document.body.classList.remove("new");
    show("empty", !sprites.length);
    banner(wall.trouble || wall.problems.join(" "));
    controls.fill(wall);
    arrange(true);
  }

  /** Filter and order anew. @param {boolean} [stay] Whether it is the sprites that changed, not what is asked for. */
  function arrange(stay = false) {
    grid.score = controls.told();
    grid.show(chosen(sprites, controls.view()), stay);
    show("nothing", sprites.length > 0 && !grid.sprites.length);
    show("board", grid.sprites.length > 0);
    decided();
    follow();
  }

  /** Something was decided, here or elsewhere. */
  function decided() {
    grid.remark();
    const kept = grid.sprites.filter((sprite) => sprite.state === "kept").length;
    const rejected = grid.sprites.filter((sprite) => sprite.state === "rejected").length;
    const part = grid.sprites.length === sprites.length ? count(sprites.length, "sprite") : `${grid.sprites.length.toLocaleString("en")} of ${count(sprites.length, "sprite")}`;
    element("count", HTMLElement).textContent = sprites.length ? `${part} · ${kept} kept · ${rejected} rejected` : "";
    element("undo", HTMLButtonElement).disabled = readOnly || !decisions?.steps.length;
    const current = grid.sprites[grid.current];
    panel.show(current);
    large.show(current);
  }

  /** The person is somewhere else. */
  function follow() {
    const several = grid.chosen.size;
    element("chosen", HTMLElement).textContent = several ? `${several} chosen` : "";
    element("select", HTMLElement).setAttribute("aria-pressed", String(grid.several || several > 0));
    for (const id of ["keep", "reject", "leave"]) element(id, HTMLButtonElement).disabled = readOnly || !grid.sprites.length;
    const current = grid.sprites[grid.current];
    panel.show(current);
    large.show(current);
  }

  /** The other one, where two are chosen. @returns {Sprite | undefined} */
  function second() {
    const current = grid.sprites[grid.current];
    const meant = grid.chosen.size === 2 ? grid.meant() : [];
    return current && meant.includes(current) ? meant.find((sprite) => sprite !== current) : undefined;
  }

  /** @param {string} why */
  function refused(why) {
    banner(why);
    void load();
  }

  /** @param {Action} action @param {number | null} [value] */
  function decide(action, value) {
    if (readOnly || !decisions) return;
    const meant = grid.meant();
    const number = decisions.decide(meant.map(({ id }) => (value === undefined ? { id, action } : { id, action, value })));
    const one = meant[0];
    if (meant.length === 1 && one) {
      say(`${nameOf(one)} ${DONE[action]}${value ? ` ${value}` : ""}`);
      if (!grid.chosen.size) grid.go(grid.current + 1);
    } else say(`${count(number, "sprite")} ${DONE[action]}`);
  }

  function undo() {
    if (readOnly || !decisions) return;
    const step = decisions.undo();
    const at = grid.sprites.findIndex((sprite) => sprite.id === step[0]?.id);
    if (at >= 0) grid.go(at);
    if (step.length) say(`taken back, ${count(step.length, "sprite")}`);
  }

  /** @param {number} times */
  function setZoom(times) {
    const zoom = element("zoom", HTMLInputElement);
    zoom.value = String(times);
    grid.zoom = Number(zoom.value);
    element("times", HTMLElement).textContent = `${zoom.value}×`;
    const at = grid.current;
    grid.fit(true);
    if (grid.sprites.length) grid.go(at);
  }

  function resize(/** @type {number} */ times) {
    setZoom(times);
    keepFor(localStorage, ZOOM, grid.zoom);
  }

  const page = () => Math.max(1, Math.floor(grid.scroller.clientHeight / grid.step)) * grid.columns;
  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const acts = {
    left: (event) => grid.go(grid.current - 1, event.shiftKey),
    right: (event) => grid.go(grid.current + 1, event.shiftKey),
    up: (event) => grid.current >= grid.columns && grid.go(grid.current - grid.columns, event.shiftKey),
    down: (event) => grid.go(grid.current + grid.columns, event.shiftKey),
    pageUp: (event) => grid.go(grid.current - page(), event.shiftKey),
    pageDown: (event) => grid.go(grid.current + page(), event.shiftKey),
    first: (event) => grid.go(0, event.shiftKey),
    last: (event) => grid.go(grid.sprites.length - 1, event.shiftKey),
    zoom: () => large.toggle(grid.sprites[grid.current]),
    panel: () => panel.toggle(),
    choose: () => { grid.toggle(grid.current); follow(); },
    chooseAll: () => grid.chooseAll(),
    chooseNone: () => grid.chooseNone(),
    larger: () => resize(Math.min(8, grid.zoom + 1)),
    smaller: () => resize(Math.max(1, grid.zoom - 1)),
    search: () => { element("more", HTMLDetailsElement).open = true; element("search", HTMLInputElement).focus(); },
    help: () => element("help", HTMLDialogElement).showModal(),
    ...(readOnly ? {} : {
      keep: () => decide("keep"),
      reject: () => decide("reject"),
      leave: () => decide("restore"),
      rate: (/** @type {KeyboardEvent} */ event) => decide("rate", Number(event.key)),
      unrate: () => decide("rate", null),
      undo,
      ...(making ? { like: () => { panel.toggle(true); void making.ask("like"); }, fresh: () => { panel.toggle(true); void making.ask("new"); }, remember: () => making.mark() } : {}),
      ...(desk.publish ? { publish: () => void desk.publish?.open() } : {}),
    }),
  };
  fillHelp(acts);
  listen(acts);
  backdrop();
  controls.start();
  const press = (/** @type {string} */ id, /** @type {() => void} */ act) => element(id, HTMLElement).addEventListener("click", act);
  press("keep", () => decide("keep"));
  press("reject", () => decide("reject"));
  press("leave", () => decide("restore"));
  press("undo", undo);
  press("ask", () => element("help", HTMLDialogElement).showModal());
  press("reset", () => controls.reset());
  press("all", () => controls.reset());
  press("select", () => {
    if (grid.several || grid.chosen.size) return grid.chooseNone();
    grid.several = true;
    follow();
  });
  element("zoom", HTMLInputElement).addEventListener("input", (event) => resize(Number(/** @type {HTMLInputElement} */ (event.target).value)));
  for (const id of ["reject", "keep", "leave", "select"]) if (readOnly) show(id, false);
  show("undo", !readOnly);
  if (desk.publish && !readOnly) {
    for (const id of ["publish", "first"]) {
      show(id, true);
      press(id, () => void desk.publish?.open());
    }
  }
  element("more", HTMLDetailsElement).open = innerWidth > 700;
  if (innerWidth > 1100) panel.toggle(true);

  desk.listen({
    hello: (told) => {
      banner(told.trouble);
      if (version && told.version !== version) void load();
    },
    changed: (told) => {
      version = told.version;
      decisions?.take(told.sprites);
    },
    anew: () => void load(),
    trouble: (told) => banner(told.message),
    progress: (told) => desk.publish?.progress(told),
  }, (there) => {
    document.body.classList.toggle("away", !there);
    if (!there && !decisions?.queue.length) banner("The studio doesn't answer. This page goes on by itself when it is there again.");
  });
  await load();
  element("board", HTMLElement).focus({ preventScroll: true });
  Object.assign(globalThis, { studio: { grid, waits: () => decisions?.queue.length ?? 0 } }); // for whoever looks into the page
}
