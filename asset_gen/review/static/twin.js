// The page as a file: what is decided stays in this browser until it is saved.
import { banner, count, download, element, kept, keepFor, say } from "./dom.js";
import { begin } from "./page.js";

/** @typedef {import("./model.js").Wall} Wall @typedef {import("./model.js").Wish} Wish @typedef {import("./model.js").Row} Row */
/** @typedef {{action: string, when: string, value?: number | null}} Line */
/** @typedef {{standing?: Line, rating?: Line, notes?: (Line & {why: string})[]}} Told */

const STATE = 5, RATING = 7, SLOT = 2; // of a row
const data = /** @type {{wall?: Wall, about?: Record<string, any>}} */ (globalThis);

export class Twin {
  /** Whether what is decided is in the files at once. */
  live = false;

  constructor() {
    this.project = data.wall?.project ?? "";
    this.key = `assetgen twin ${this.project} ${data.wall?.version ?? ""}`;
    const held = kept(localStorage, this.key);
    /** What was decided here, by sprite. @type {Record<string, Told>} */
    this.told = held && typeof held === "object" ? /** @type {Record<string, Told>} */ (held) : {};
    /** What the rows said. @type {Map<string, Row>} */
    this.rows = new Map((data.wall?.sprites ?? []).map((row) => [row[0], row]));
    const name = element("who", HTMLInputElement);
    name.value = String(kept(localStorage, "assetgen who") ?? "");
    name.addEventListener("input", () => keepFor(localStorage, "assetgen who", name.value));
    element("save", HTMLElement).addEventListener("click", () => this.save());
  }

  /** @returns {Promise<Wall>} */
  async load() {
    if (!data.wall) throw new Error("wall.js is missing");
    const sprites = data.wall.sprites.map((row) => {
      const now = /** @type {Row} */ ([...row]), told = this.told[row[0]];
      if (told?.standing) now[STATE] = told.standing.action === "keep" ? "kept" : told.standing.action === "reject" ? "rejected" : row[SLOT] ? "published" : "candidate";
      if (told?.rating) now[RATING] = told.rating.value ?? null;
      return now;
    });
    return { ...data.wall, sprites };
  }

  /** @param {Wish[]} wishes */
  async decide(wishes) {
    const when = new Date().toISOString();
    for (const { id, action, value, why } of wishes) {
      const row = this.rows.get(id), told = (this.told[id] ??= {});
      if (!row) continue;
      const before = row[STATE] === "kept" ? "keep" : row[STATE] === "rejected" ? "reject" : "restore";
      if (action === "note") (told.notes ??= []).push({ action, when, why: why ?? "" });
      else if (action === "rate" && (value ?? null) === row[RATING]) delete told.rating;
      else if (action === "rate") told.rating = { action, when, value: value ?? null };
      else if (action === before) delete told.standing;
      else told.standing = { action, when };
      if (!Object.keys(told).length) delete this.told[id];
    }
    keepFor(localStorage, this.key, this.told);
  }

  /** Everything that was decided here, as lines of assetgen.decisions.jsonl. */
  lines() {
    const who = element("who", HTMLInputElement).value.trim().slice(0, 200) || "reviewer";
    return Object.entries(this.told).flatMap(([id, told]) => {
      const { slot, run, name, origin } = data.about?.[id] ?? {};
      const subject = slot || (run ? `${run}/${name}` : name);
      return [told.standing, told.rating, ...(told.notes ?? [])].flatMap((line) => (line && origin ? [{ subject, origin, who, ...line }] : []));
    });
  }

  save() {
    const decisions = this.lines();
    if (!decisions.length) return banner("Nothing is decided here yet.");
    banner("");
    download(`decisions-${this.project}.json`, { project: this.project, decisions });
    say(`${count(decisions.length, "decision")} saved`);
  }

  /** @param {{id: string}} sprite */
  picture({ id }) {
    return `sprites/${id}.png`;
  }

  /** @param {string} id @returns {Promise<any>} */
  async about(id) {
    return data.about?.[id];
  }

  listen() { /* nobody else decides here */ }
}

void begin(new Twin());
