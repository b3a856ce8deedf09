// What publishing would change, a person's yes, and how it went.
import { count, element, make, say } from "./dom.js";

/**
 * @typedef {{slot: string, before: string, after: string | null}} Swap
 * @typedef {{set: string, out: string, stay: number, added: number, replaced: number, freed: number, draws: boolean, question: string | null, swaps: Swap[], files: string[]}} PlannedSet
 * @typedef {{sets: PlannedSet[], busy: boolean, back: string[]}} Plan
 * @typedef {{out: string, written: string[], removed: string[], edited: Record<string, string>}} DoneSet
 */

const SHOWN = 24; // swaps that are drawn

export class Publish {
  /** @param {{ask: (path: string, body?: unknown) => Promise<any>, picture: (sprite: {id: string}) => string}} desk */
  constructor(desk) {
    this.desk = desk;
    this.dialog = element("plan", HTMLDialogElement);
    this.body = element("plan-body", HTMLElement);
    this.busy = false;
  }

  async open() {
    if (!this.dialog.open) this.dialog.showModal();
    if (this.busy) return;
    this.body.replaceChildren(make("p", { className: "quiet", textContent: "Looking what would change …" }));
    try {
      this.show(await this.desk.ask("/api/plan"));
    } catch (error) {
      this.fail("It can't be published now.", error);
    }
  }

  /** @param {Plan} plan */
  show({ sets, busy, back }) {
    const changed = sets.filter((set) => set.added || set.replaced || set.freed || set.draws || set.question);
    const parts = changed.map((set) => this.part(set));
    const questions = changed.flatMap(({ question }) => (question ? [question] : []));
    const publish = make("button", { type: "button", className: "main", id: "publish-now", textContent: "Publish" });
    const yes = questions.map((question) => {
      const box = make("input", { type: "checkbox" });
      box.addEventListener("change", () => { publish.disabled = yes.some(({ box }) => !box.checked); });
      return { box, label: make("label", { className: "yes" }, box, ` ${question} Yes, do it.`) };
    });
    publish.disabled = busy || questions.length > 0;
    publish.addEventListener("click", () => void this.work("/api/publish", { agreed: questions }, "Published"));
    const undo = make("button", { type: "button", id: "publish-back", textContent: "Back to what was published before" });
    undo.addEventListener("click", () => void this.work("/api/back", { agreed: [] }, "Gone back"));
    this.body.replaceChildren(
      ...(parts.length ? parts : [make("p", { textContent: "Nothing to change: what is published is what recipe and decisions ask for." })]),
      ...yes.map(({ label }) => label),
      make("p", { className: "buttons" }, ...(parts.length ? [publish] : []), ...(back.length ? [undo] : [])),
    );
  }

  /** @param {PlannedSet} set */
  part({ set, out, stay, added, replaced, freed, draws, swaps, files }) {
    const figures = /** @type {[string, number][]} */ ([["stay", stay], ["added", added], ["replaced", replaced], ["freed", freed]]);
    const line = make("p", { className: "figures" }, ...figures.map(([word, number]) => make("span", {}, make("b", { textContent: number.toLocaleString("en") }), ` ${word}`)));
    /** @type {HTMLElement[]} */
    const parts = [make("h3", { textContent: set ? `${set}: ${out}` : out }), line];
    if (draws) parts.push(make("p", { textContent: "Candidates are drawn for it, which takes a while." }));
    if (swaps.length) {
      const shown = swaps.slice(0, SHOWN).map(({ slot, before, after }) => {
        const item = make("li", {}, make("img", { src: this.desk.picture({ id: before }), alt: "now" }), make("span", { textContent: "→" }),
          after ? make("img", { src: this.desk.picture({ id: after }), alt: "then" }) : make("span", { textContent: "a new one" }), make("span", { className: "slot", textContent: slot }));
        return item;
      });
      parts.push(make("ul", { className: "swaps" }, ...shown));
      if (swaps.length > SHOWN) parts.push(make("p", { textContent: `and ${swaps.length - SHOWN} more` }));
    }
    if (files.length) {
      parts.push(make("details", {}, make("summary", { textContent: `${count(files.length, "published file")} may change` }),
        make("ul", { className: "lines" }, ...files.map((path) => make("li", { textContent: path })))));
    }
    return make("section", {}, ...parts);
  }

  /** @param {string} path @param {unknown} body @param {string} done */
  async work(path, body, done) {
    this.busy = true;
    const bar = make("progress", { id: "publish-bar" });
    bar.setAttribute("aria-label", "how far it is");
    this.body.replaceChildren(make("p", { id: "publish-what", textContent: "Working …" }), bar);
    try {
      /** @type {{sets: DoneSet[]}} */
      const { sets } = await this.desk.ask(path, body);
      const lines = sets.map(({ out, written, removed }) => make("li", { textContent: `${out}: ${count(written.length, "file")} written, ${removed.length} removed` }));
      const edited = sets.flatMap((set) => Object.entries(set.edited).map(([file, why]) => make("li", { textContent: `${file} ${why} is left as it is` })));
      const undo = make("button", { type: "button", id: "publish-back", textContent: path === "/api/back" ? "Forward again" : "Take it back" });
      undo.addEventListener("click", () => void this.work("/api/back", { agreed: [] }, path === "/api/back" ? "Published" : "Gone back"));
      this.body.replaceChildren(make("p", { id: "publish-done", textContent: `${done}.` }), make("ul", { className: "lines" }, ...lines, ...edited), make("p", { className: "buttons" }, undo));
      say(done);
    } catch (error) {
      this.fail("It didn't work. No file was half-written.", error);
    }
    this.busy = false;
  }

  /** @param {string} what @param {unknown} error */
  fail(what, error) {
    const why = error instanceof Error ? error.message : String(error);
    const again = make("button", { type: "button", textContent: "Look again" });
    again.addEventListener("click", () => void this.open());
    const told = make("div", {}, make("p", { textContent: what }), make("p", { id: "publish-why", textContent: why }), make("p", { className: "buttons" }, again));
    told.setAttribute("role", "alert");
    this.body.replaceChildren(told);
  }

  /** @param {{what: string, done: number, total: number} | null} told */
  progress(told) {
    const bar = document.getElementById("publish-bar"), what = document.getElementById("publish-what");
    if (!told || !(bar instanceof HTMLProgressElement) || !what) return;
    what.textContent = `${told.what} …`;
    bar.max = Math.max(1, told.total);
    bar.value = told.done;
  }
}
