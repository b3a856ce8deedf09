// More of a sprite: like it, as other types, between it and another. What is good of it becomes candidates.
import { count, make, say } from "./dom.js";
import { nameOf } from "./model.js";

/** @typedef {import("./model.js").Sprite} Sprite */
/** @typedef {{type: string}} Origin */
/** @typedef {{origin: Origin, type: string, picture: string}} MadeSprite */
/** @typedef {{ask: (path: string, body?: unknown, signal?: AbortSignal) => Promise<any>, picture: (sprite: Sprite) => string}} Asked */

/** @type {{how: string, label: string, second: boolean}[]} */
const WAYS = [
  { how: "like", label: "More like this", second: false },
  { how: "new", label: "New ones", second: false },
  { how: "types", label: "As other types", second: false },
  { how: "between", label: "Between the two", second: true },
  { how: "mix", label: "Shape and colours mixed", second: true },
];

export class Making {
  /** @param {Asked} desk @param {() => Sprite | undefined} chosen The second sprite, where two are chosen on the wall. */
  constructor(desk, chosen) {
    this.desk = desk;
    this.chosen = chosen;
    /** @type {Sprite | undefined} */
    this.sprite = undefined;
    /** @type {Sprite | undefined} */
    this.remembered = undefined;
    this.how = "";
    this.seed = 0;
    this.why = "Loading the model …";
    this.set = "";
    this.asking = new AbortController();
    /** @type {MadeSprite[]} */
    this.made = [];
    this.strength = make("input", { type: "range", min: "0.05", max: "1", step: "0.05", value: "0.2", id: "strength" });
    this.strength.addEventListener("input", () => void this.ask("like"));
    this.buttons = WAYS.map(({ how, label }) => {
      const button = make("button", { type: "button", textContent: label });
      button.dataset["how"] = how;
      button.addEventListener("click", () => void this.ask(how));
      return button;
    });
    this.remember = make("button", { type: "button", className: "remember" });
    this.remember.addEventListener("click", () => this.mark());
    this.second = make("p", { className: "second" });
    this.told = make("p", { className: "told quiet" });
    this.told.setAttribute("role", "status");
    this.shown = make("div", { className: "made" });
    this.shown.setAttribute("role", "group");
    this.shown.setAttribute("aria-label", "What was made; choose what is good");
    this.add = make("button", { type: "button", className: "main", textContent: "Add the chosen to the candidates", id: "add" });
    this.add.addEventListener("click", () => void this.keep());
    this.lab = make("a", { href: "/lab", textContent: "Into the lab" });
    this.place = make("section", { className: "making", id: "making" }, make("h3", { textContent: "Make more" }),
      make("div", { className: "ways" }, ...this.buttons), make("label", { className: "strength" }, "How far away ", this.strength),
      this.second, this.told, this.shown, this.add, make("p", {}, this.lab));
    this.add.hidden = true;
    for (const button of [...this.buttons, this.remember]) button.disabled = true;
  }

  /** @param {Sprite} sprite */
  show(sprite) {
    if (sprite.id === this.sprite?.id) { // perhaps read anew
      this.sprite = sprite;
      return this.tellSecond();
    }
    const first = !this.sprite || sprite.set !== this.set;
    this.sprite = sprite;
    this.lab.href = `/lab?${new URLSearchParams({ sprite: sprite.id, set: sprite.set })}`;
    this.asking.abort();
    this.made = [];
    this.how = "";
    this.draw();
    this.tellSecond();
    if (first) void this.load(sprite.set);
    else this.tell(this.why);
  }

  /** Let the model be loaded, or hear why it can't be. @param {string} set */
  async load(set) {
    this.set = set;
    this.tell("Loading the model …");
    try {
      this.why = (await this.desk.ask(`/api/making?set=${encodeURIComponent(set)}`)).why;
    } catch {
      this.sprite = undefined; // the studio is away: ask again
      return;
    }
    if (set === this.set) this.tell(this.why);
    this.enable();
  }

  /** Remember this sprite as the second one for others, or forget it. */
  mark() {
    this.remembered = this.remembered?.id === this.sprite?.id ? undefined : this.sprite;
    this.tellSecond();
    say(this.remembered ? `${nameOf(this.remembered)} remembered` : "forgotten");
  }

  /** The second sprite. @returns {Sprite | undefined} */
  other() {
    const other = this.chosen() ?? this.remembered;
    return other && other.id !== this.sprite?.id && other.set === this.sprite?.set ? other : undefined;
  }

  tellSecond() {
    const other = this.other();
    this.remember.textContent = this.remembered && this.remembered.id === this.sprite?.id ? "Forget it" : "Remember this one";
    this.remember.append(" ", make("kbd", { textContent: "M" }));
    this.second.replaceChildren(...(other
      ? [make("img", { src: this.desk.picture(other), alt: "" }), make("span", { textContent: `The other one: ${nameOf(other)}` })]
      : [make("span", { textContent: "For two: remember one, then go to another" })]), this.remember);
    this.enable();
  }

  enable() {
    const able = !this.why && Boolean(this.sprite);
    for (const [at, button] of this.buttons.entries()) {
      button.disabled = !able || (Boolean(WAYS[at]?.second) && !this.other());
      button.setAttribute("aria-pressed", String(button.dataset["how"] === this.how));
    }
    this.strength.disabled = this.remember.disabled = !able;
  }

  /** @param {string} text */
  tell(text) {
    this.told.textContent = text;
  }

  /** @param {string} how */
  async ask(how) {
    const sprite = this.sprite, other = this.other();
    if (!sprite || this.why) return;
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const again = this.how === how;
    this.how = how;
    this.seed = how === "like" && again && document.activeElement === this.strength ? this.seed : Math.floor(Math.random() * 2 ** 32);
    this.enable();
    const begun = performance.now();
    try {
      const wish = { of: sprite.id, how, strength: Number(this.strength.value), seed: this.seed, ...(other ? { other: other.id } : {}) };
      const { made } = await this.desk.ask("/api/make", wish, signal);
      if (signal.aborted || sprite.id !== this.sprite?.id) return;
      this.made = made;
      await this.draw();
      const took = Math.round(performance.now() - begun);
      this.place.dataset["took"] = String(took);
      this.tell(`${count(made.length, "sprite")} in ${took} ms. Choose what is good.`);
    } catch (error) {
      if (!signal.aborted) this.tell(error instanceof Error ? error.message : String(error));
    }
  }

  /** Show what was made, each to be chosen. */
  async draw() {
    const images = this.made.map(({ type, picture }, at) => make("img", { src: `data:image/png;base64,${picture}`, alt: `${type}, number ${at + 1}` }));
    await Promise.all(images.map((image) => image.decode().catch(() => undefined)));
    const mixed = new Set(this.made.map(({ type }) => type)).size > 1;
    this.shown.replaceChildren(...images.map((image, at) => {
      const button = make("button", { type: "button" }, image, ...(mixed ? [make("span", { className: "caption", textContent: this.made[at]?.type ?? "" })] : []));
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
        this.add.disabled = !this.picked().length;
      });
      return button;
    }));
    this.add.hidden = !this.made.length;
    this.add.disabled = true;
    if (this.made.length) this.add.scrollIntoView({ block: "nearest" });
  }

  /** @returns {Origin[]} */
  picked() {
    return this.made.filter((_, at) => this.shown.children[at]?.getAttribute("aria-pressed") === "true").map(({ origin }) => origin);
  }

  async keep() {
    const origins = this.picked();
    this.add.disabled = true;
    this.tell("Adding …");
    try {
      const { names } = await this.desk.ask("/api/candidates", { origins, set: this.set });
      for (const button of this.shown.children) button.setAttribute("aria-pressed", "false");
      this.tell(`${count(new Set(names).size, "candidate")} added: ${names.join(", ")}`);
      say("added to the candidates");
    } catch (error) {
      this.tell(error instanceof Error ? error.message : String(error));
      this.add.disabled = false;
    }
  }
}
