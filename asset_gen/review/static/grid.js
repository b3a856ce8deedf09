// A wall of sprites that is drawn only where somebody looks: rows are used again, so that 10,000 sprites stay fluid.
import { figure, make } from "./dom.js";
import { WORDS, nameOf } from "./model.js";

/** @typedef {import("./model.js").Sprite} Sprite */
/** @typedef {{index: number, box: HTMLElement, tiles: HTMLElement[]}} RowBox */

const GAP = 6, FRAME = 12, CAPTION = 18; // pixels between tiles, around a picture, and below it
const CAPTION_FROM = 52; // pixels that a tile must be wide to have a caption
const SPARE = 4; // rows that are drawn above and below what is seen
const LOADS = 48; // pictures that are asked for in a frame
const LONG = 450; // milliseconds of a press that chooses

export class Grid {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} board
   * @param {{picture: (sprite: Sprite) => string, moved: () => void, opened: () => void}} does
   */
  constructor(scroller, board, does) {
    this.scroller = scroller;
    this.board = board;
    this.does = does;
    /** @type {Sprite[]} */
    this.sprites = [];
    /** @type {Set<string>} Chosen ones; none: the current one alone. */
    this.chosen = new Set();
    this.current = 0;
    this.anchor = 0;
    this.side = 32;
    this.zoom = 2;
    this.columns = 1;
    this.several = false;
    this.score = 0;
    /** Milliseconds that drawing took, of the last frames. @type {number[]} */
    this.took = [];
    /** @type {Map<number, RowBox>} */
    this.rows = new Map();
    /** @type {RowBox[]} */
    this.free = [];
    /** @type {HTMLImageElement[]} */
    this.waiting = [];
    this.wanted = false;
    this.lastTop = 0;
    this.pressed = 0;
    this.longPress = false;
    scroller.addEventListener("scroll", () => this.later(), { passive: true });
    new ResizeObserver(() => this.fit()).observe(scroller);
    board.addEventListener("click", (event) => this.clicked(event));
    board.addEventListener("dblclick", () => this.does.opened());
    board.addEventListener("pointerdown", (event) => this.down(event));
    for (const end of ["pointerup", "pointercancel", "pointermove"]) board.addEventListener(end, () => clearTimeout(this.pressed));
    board.addEventListener("contextmenu", (event) => { if (this.longPress) event.preventDefault(); });
  }

  get width() { return this.side * this.zoom + FRAME; }
  get captions() { return this.width >= CAPTION_FROM; }
  get height() { return this.side * this.zoom + FRAME + (this.captions ? CAPTION : 0); }
  get step() { return this.height + GAP; }

  /** @param {Sprite[]} sprites @param {boolean} stay Whether the person stays where they are, where that is still there. */
  show(sprites, stay) {
    const held = stay ? this.sprites[this.current]?.id : undefined;
    this.sprites = sprites;
    const shown = new Set(sprites.map((sprite) => sprite.id));
    for (const id of this.chosen) if (!shown.has(id)) this.chosen.delete(id);
    const at = held === undefined ? -1 : sprites.findIndex((sprite) => sprite.id === held);
    this.current = this.anchor = at < 0 ? 0 : at;
    this.fit(true);
    if (at < 0) this.scroller.scrollTop = 0;
  }

  /** How many go side by side; draw anew where that has changed. @param {boolean} [anew] */
  fit(anew = false) {
    const room = this.scroller.clientWidth - 2 * GAP;
    const columns = Math.max(1, Math.floor((room + GAP) / (this.width + GAP)));
    const first = Math.round(this.scroller.scrollTop / this.step) * this.columns;
    if (!anew && columns === this.columns && this.rows.size) return this.later();
    const moved = columns !== this.columns;
    this.columns = columns;
    this.board.classList.toggle("bare", !this.captions);
    this.board.style.setProperty("--side", `${this.side * this.zoom}px`);
    this.board.style.setProperty("--tile", `${this.width}px`);
    this.board.style.setProperty("--left", `${Math.max(0, Math.floor((room - columns * (this.width + GAP) + GAP) / 2))}px`);
    this.board.style.setProperty("--high", `${this.height}px`);
    const rows = Math.ceil(this.sprites.length / columns);
    this.board.style.height = `${rows * this.step + GAP}px`;
    this.board.setAttribute("aria-rowcount", String(rows));
    this.board.setAttribute("aria-colcount", String(columns));
    for (const row of this.rows.values()) row.box.remove();
    this.rows.clear();
    this.free = [];
    this.waiting = [];
    if (moved && !anew) this.scroller.scrollTop = Math.floor(first / columns) * this.step;
    this.draw();
  }

  /** Draw with the next frame. */
  later() {
    if (this.wanted) return;
    this.wanted = true;
    requestAnimationFrame(() => {
      this.wanted = false;
      this.draw();
    });
  }

  draw() {
    const begun = performance.now();
    const top = this.scroller.scrollTop, seen = this.scroller.clientHeight;
    const fast = Math.abs(top - this.lastTop) > seen;
    this.lastTop = top;
    const rows = Math.ceil(this.sprites.length / this.columns);
    const first = Math.max(0, Math.floor(top / this.step) - SPARE);
    const last = Math.min(rows - 1, Math.ceil((top + seen) / this.step) + SPARE);
    for (const [index, row] of this.rows) {
      if (index >= first && index <= last) continue;
      this.rows.delete(index);
      this.free.push(row);
    }
    for (let index = first; index <= last; index++) if (!this.rows.has(index)) this.place(index);
    for (const row of this.free.splice(rows ? SPARE : 0)) row.box.remove();
    for (const row of this.free) row.box.hidden = true;
    this.point();
    if (fast) this.later(); // pictures when it has come to rest
    else this.load();
    this.took.push(performance.now() - begun);
    if (this.took.length > 1000) this.took.shift();
  }

  /** Ask for pictures, a few in each frame; those of rows that are used again have gone from the list's reach. */
  load() {
    for (let left = LOADS; left && this.waiting.length; ) {
      for (const image of this.waiting.splice(0, left)) {
        const address = image.dataset["address"];
        if (!address) continue;
        image.src = address;
        delete image.dataset["address"];
        left--;
      }
    }
    if (this.waiting.length) this.later();
  }

  /** @param {number} index Of a row. */
  place(index) {
    const row = this.free.pop() ?? this.row();
    row.index = index;
    row.box.hidden = false;
    row.box.style.transform = `translateY(${index * this.step + GAP}px)`;
    row.box.setAttribute("aria-rowindex", String(index + 1));
    row.tiles.forEach((tile, column) => this.fill(tile, index * this.columns + column));
    this.rows.set(index, row);
  }

  /** @returns {RowBox} */
  row() {
    const tiles = Array.from({ length: this.columns }, (_, column) => {
      const image = make("img", { alt: "", decoding: "async", draggable: false });
      image.addEventListener("error", () => { if (image.getAttribute("src")) image.parentElement?.classList.add("missing"); });
      const tile = make("div", { className: "tile" }, image, make("span", { className: "sign" }), make("span", { className: "rating" }), make("span", { className: "caption" }), make("span", { className: "unseen" }));
      for (const part of [...tile.children].slice(1, 4)) part.setAttribute("aria-hidden", "true"); // the last says it in words
      tile.setAttribute("role", "gridcell");
      tile.setAttribute("aria-colindex", String(column + 1));
      return tile;
    });
    const box = make("div", { className: "row" }, ...tiles);
    box.setAttribute("role", "row");
    this.board.append(box);
    return { index: -1, box, tiles };
  }

  /** @param {HTMLElement} tile @param {number} at */
  fill(tile, at) {
    const sprite = this.sprites[at];
    tile.hidden = !sprite;
    const image = /** @type {HTMLImageElement} */ (tile.firstChild);
    if (!sprite) {
      tile.removeAttribute("id");
      delete tile.dataset["at"];
      delete image.dataset["address"];
      image.removeAttribute("src");
      return;
    }
    tile.id = `s${sprite.id}`;
    tile.dataset["at"] = String(at);
    tile.classList.remove("missing");
    image.removeAttribute("src"); // also stops what isn't needed any more
    image.dataset["address"] = this.does.picture(sprite);
    this.waiting.push(image);
    this.mark(tile, sprite);
  }

  /** What is decided about it. @param {HTMLElement} tile @param {Sprite} sprite */
  mark(tile, sprite) {
    const [, sign, rating, caption, told] = /** @type {HTMLElement[]} */ ([...tile.children]);
    tile.dataset["state"] = sprite.state;
    tile.classList.toggle("in", sprite.slot !== "");
    if (sign) sign.textContent = sprite.state === "kept" ? "✓" : sprite.state === "rejected" ? "✕" : "";
    if (rating) rating.textContent = sprite.rating === null ? "" : `★${figure(sprite.rating)}`;
    const by = sprite.scores[this.score];
    if (caption) caption.textContent = `${Number(sprite.name.split(/_c?(?=\d+$)/).pop())} · ${figure(by)}`;
    const picked = this.chosen.has(sprite.id);
    tile.setAttribute("aria-selected", String(picked));
    const game = sprite.slot && sprite.state !== "published" ? ", in the game" : "";
    if (told) told.textContent = `${nameOf(sprite)}, ${WORDS[sprite.state]}${game}${sprite.rating === null ? "" : `, rated ${figure(sprite.rating)}`}, ${sprite.reason}`;
  }

  /** Show anew what is decided, and what is chosen. */
  remark() {
    for (const row of this.rows.values()) {
      for (const tile of row.tiles) {
        const sprite = this.sprites[Number(tile.dataset["at"] ?? -1)];
        if (sprite) this.mark(tile, sprite);
      }
    }
  }

  /** Where the person is. */
  point() {
    const id = this.sprites[this.current]?.id;
    const tile = id === undefined ? null : document.getElementById(`s${id}`);
    const before = this.board.querySelector(".current");
    if (before !== tile) {
      before?.classList.remove("current");
      tile?.classList.add("current");
    }
    if (tile) this.board.setAttribute("aria-activedescendant", tile.id);
    else this.board.removeAttribute("aria-activedescendant");
  }

  /** Go to a sprite. @param {number} at @param {boolean} [extend] Choose all on the way. */
  go(at, extend = false) {
    if (!this.sprites.length) return;
    this.current = Math.max(0, Math.min(this.sprites.length - 1, at));
    if (extend) this.chooseTo(this.current);
    else this.anchor = this.current;
    const top = Math.floor(this.current / this.columns) * this.step;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.step + GAP > scrollTop + clientHeight) this.scroller.scrollTop = top + this.step + GAP - clientHeight;
    this.draw();
    this.does.moved();
  }

  /** @param {number} at */
  chooseTo(at) {
    const [from, to] = this.anchor < at ? [this.anchor, at] : [at, this.anchor];
    this.chosen = new Set(this.sprites.slice(from, to + 1).map((sprite) => sprite.id));
    this.remark();
  }

  /** @param {number} at */
  toggle(at) {
    const id = this.sprites[at]?.id;
    if (id === undefined) return;
    if (!this.chosen.delete(id)) this.chosen.add(id);
    this.anchor = at;
    this.remark();
  }

  chooseAll() {
    this.chosen = new Set(this.sprites.map((sprite) => sprite.id));
    this.remark();
    this.does.moved();
  }

  chooseNone() {
    this.chosen.clear();
    this.several = false;
    this.anchor = this.current;
    this.remark();
    this.does.moved();
  }

  /** Those that a decision is about. @returns {Sprite[]} */
  meant() {
    if (this.chosen.size) return this.sprites.filter((sprite) => this.chosen.has(sprite.id));
    const one = this.sprites[this.current];
    return one ? [one] : [];
  }

  /** @param {Event} event @returns {number} Place of the tile that it happened on; -1: none. */
  placeOf(event) {
    const tile = event.target instanceof Element ? event.target.closest(".tile") : null;
    return tile instanceof HTMLElement ? Number(tile.dataset["at"] ?? -1) : -1;
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const at = this.placeOf(event);
    if (at < 0) return;
    if (this.longPress) { // it has chosen already
      this.longPress = false;
      return;
    }
    this.board.focus({ preventScroll: true });
    if (event.shiftKey) return this.go(at, true);
    if (event.ctrlKey || event.metaKey || this.several) {
      if (!this.chosen.size && !this.several) this.chosen.add(this.sprites[this.current]?.id ?? "");
      this.toggle(at);
      this.current = at;
      this.point();
      return this.does.moved();
    }
    if (this.chosen.size) this.chosen.clear(), this.remark();
    this.go(at);
  }

  /** @param {PointerEvent} event */
  down(event) {
    const at = this.placeOf(event);
    this.longPress = false;
    if (at < 0 || event.pointerType === "mouse") return;
    this.pressed = setTimeout(() => {
      this.longPress = this.several = true;
      this.toggle(at);
      this.current = at;
      this.point();
      this.does.moved();
    }, LONG);
  }
}
