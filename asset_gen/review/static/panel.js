// All that is known of one sprite, beside the wall.
import { element, figure, make } from "./dom.js";
import { nameOf } from "./model.js";

/** @typedef {import("./model.js").Sprite} Sprite */
/** @typedef {{name: string, slot: string, run: string, set: string, verdict: string, scores: [string, number | null][], nearest: [string, number][], origin: {model: string, seed: number, type: string, index: number, operation?: string}, size: [number, number] | null, palette: [string, number][], decisions: {who: string, when: string, action: string, value: number | null, why: string}[]}} About */

const WAIT = 100; // milliseconds on a sprite until it is asked about
const PICTURE = 256; // pixels
/** @type {Record<string, string>} */
const DONE = { keep: "kept it", reject: "rejected it", restore: "left it open", rate: "rated it", note: "noted" };

export class Panel {
  /** @param {{about: (id: string, signal: AbortSignal) => Promise<About>, picture: (sprite: Sprite) => string}} desk @param {{place: HTMLElement, show: (sprite: Sprite) => void}} [making] Makes more of a sprite, where the desk can. */
  constructor(desk, making) {
    this.desk = desk;
    this.making = making;
    this.place = element("one", HTMLElement);
    this.wanted = false;
    /** @type {Sprite | undefined} */
    this.sprite = undefined;
    this.timer = 0;
    this.asking = new AbortController();
    this.facts = make("div", { className: "facts" });
    this.image = make("img", { alt: "" });
    this.image.addEventListener("load", () => {
      const side = Math.max(this.image.naturalWidth, 1);
      this.image.style.width = `${side * Math.max(1, Math.floor(PICTURE / side))}px`;
    });
    this.title = make("h2");
    this.state = make("p", { className: "told" });
    const close = make("button", { type: "button", className: "close", textContent: "Close" });
    close.addEventListener("click", () => this.toggle(false));
    this.place.append(make("div", { className: "head" }, this.title, close), make("div", { className: "picture" }, this.image), this.state, ...(making ? [making.place] : []), this.facts);
  }

  /** @param {boolean} [open] */
  toggle(open = Boolean(this.place.hidden)) {
    this.place.hidden = !open;
    document.body.classList.toggle("beside", open);
    const sprite = this.sprite;
    this.sprite = undefined;
    if (open && sprite) this.show(sprite);
    else this.sprite = sprite;
  }

  /** @param {Sprite | undefined} sprite */
  show(sprite) {
    const same = sprite === this.sprite;
    this.sprite = sprite;
    if (this.place.hidden || !sprite) return;
    this.title.textContent = nameOf(sprite);
    this.state.textContent = sprite.state === "kept" || sprite.state === "rejected"
      ? `${sprite.state === "kept" ? "Kept" : "Rejected"} ${sprite.reason.startsWith("by ") ? sprite.reason : `by ${sprite.reason}`}`
      : sprite.slot ? "In the game, and nobody has decided" : "Nobody has decided";
    this.making?.show(sprite);
    if (!same) {
      this.image.src = this.desk.picture(sprite);
      this.image.alt = `${nameOf(sprite)}, enlarged`;
      this.facts.classList.add("old");
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(sprite), WAIT);
  }

  /** @param {Sprite} sprite */
  async ask(sprite) {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const about = await this.desk.about(sprite.id, signal);
      if (!signal.aborted && sprite === this.sprite) this.tell(about);
    } catch (error) {
      if (!signal.aborted) this.facts.replaceChildren(make("p", { textContent: error instanceof Error ? error.message : String(error) }));
    }
    if (!signal.aborted) this.facts.classList.remove("old");
  }

  /** @param {About} about */
  tell({ name, slot, run, set, verdict, scores, nearest, origin, size, palette, decisions }) {
    const parts = [part("What the filter said", make("p", { textContent: verdict || "nothing: it isn't in a candidate set" }))];
    parts.push(part("Scores", table(scores.filter(([, value]) => value !== null).map(([label, value]) => [label, figure(value)]))));
    if (nearest.length) parts.push(part("Nearest training sprites", table(nearest.map(([near, distance]) => [near, figure(distance)]))));
    if (palette.length) {
      const swatches = palette.map(([colour, share]) => {
        const swatch = make("li", { title: `${colour}, ${(share * 100).toFixed(1)} %` }, make("span", { className: "unseen", textContent: `${colour}, ${(share * 100).toFixed(1)} percent` }));
        swatch.style.background = colour;
        return swatch;
      });
      parts.push(part(palette.length === 32 ? "The 32 most frequent colours" : `${palette.length} colours`, make("ul", { className: "palette" }, ...swatches)));
    }
    parts.push(part("Origin", table([
      ["type", origin.type], ...(origin.operation ? [["explored by", origin.operation]] : []), ["seed", String(origin.seed)], ["index", String(origin.index)], ["model", origin.model.slice(0, 16)],
      ...(run ? [["candidate set", run], ["candidate", name]] : []), ...(slot ? [["slot", slot]] : []), ...(set ? [["set", set]] : []),
      ...(size ? [["size", `${size[0]} × ${size[1]}`]] : []),
    ])));
    if (decisions.length) {
      const lines = decisions.map(({ who, when, action, value, why }) => make("li", {
        textContent: `${when.slice(0, 16).replace("T", " ")} ${who} ${DONE[action] ?? action}${value === null ? "" : ` ${figure(value)}`}${why ? `: ${why}` : ""}`,
      }));
      parts.push(part("Decisions", make("ul", { className: "lines" }, ...lines.reverse())));
    }
    this.facts.replaceChildren(...parts);
  }
}

/** @param {string} title @param {Node} content */
function part(title, content) {
  return make("section", {}, make("h3", { textContent: title }), content);
}

/** @param {string[][]} rows */
function table(rows) {
  return make("table", {}, make("tbody", {}, ...rows.map(([name = "", value = ""]) => {
    const head = make("th", { textContent: name });
    head.scope = "row";
    return make("tr", {}, head, make("td", { textContent: value }));
  })));
}

