// Decisions: shown at once, sent in order, sent again where the studio didn't answer, and taken back without limit.
import { banner, count, kept, keepFor } from "./dom.js";
import { apply, opposite } from "./model.js";

/** @typedef {import("./model.js").Wish} Wish @typedef {import("./model.js").Sprite} Sprite @typedef {import("./model.js").Change} Change */

const AGAIN = 1000; // milliseconds until what wasn't heard is sent again
const AT_ONCE = 2000; // wishes in a request

export class Decisions {
  /**
   * @param {string} project What this browser keeps is kept under its name.
   * @param {{decide: (wishes: Wish[]) => Promise<unknown>}} desk
   * @param {Map<string, Sprite>} sprites
   * @param {{changed: () => void, refused: (why: string) => void}} does
   */
  constructor(project, desk, sprites, does) {
    this.desk = desk;
    this.sprites = sprites;
    this.does = does;
    this.keys = { queue: `assetgen queue ${project}`, steps: `assetgen undo ${project}` };
    const queue = kept(sessionStorage, this.keys.queue), steps = kept(sessionStorage, this.keys.steps);
    /** What isn't sent yet. @type {Wish[]} */
    this.queue = Array.isArray(queue) ? queue : [];
    /** What takes each step back, the last one last. @type {Wish[][]} */
    this.steps = Array.isArray(steps) ? steps : [];
    this.sending = false;
    this.reapply();
    void this.send();
  }

  /** Decide; returns how many sprites that changes. @param {Wish[]} wishes */
  decide(wishes) {
    const back = [], news = [];
    for (const wish of wishes) {
      const sprite = this.sprites.get(wish.id);
      if (!sprite) continue;
      const other = opposite(sprite, wish);
      if (!other && wish.action !== "note") continue;
      if (other) back.push(other);
      apply(sprite, wish);
      news.push(wish);
    }
    if (back.length) this.steps.push(back);
    this.add(news);
    return news.length;
  }

  /** Take the last step back; returns what that was about. @returns {Wish[]} */
  undo() {
    const step = this.steps.pop()?.filter((wish) => this.sprites.has(wish.id)) ?? [];
    for (const wish of step) apply(/** @type {Sprite} */ (this.sprites.get(wish.id)), wish);
    this.add(step);
    return step;
  }

  /** What the studio says of sprites; what it hasn't heard yet still counts here. @param {Change[]} changes */
  take(changes) {
    for (const [id, state, reason, rating] of changes) {
      const sprite = this.sprites.get(id);
      if (sprite) Object.assign(sprite, { state, reason, rating });
    }
    this.reapply();
    this.does.changed();
  }

  reapply() {
    for (const wish of this.queue) {
      const sprite = this.sprites.get(wish.id);
      if (sprite) apply(sprite, wish);
    }
  }

  /** @param {Wish[]} wishes */
  add(wishes) {
    this.queue.push(...wishes);
    this.keep();
    this.does.changed();
    void this.send();
  }

  keep() {
    keepFor(sessionStorage, this.keys.queue, this.queue);
    keepFor(sessionStorage, this.keys.steps, this.steps);
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.queue.length) {
      const wishes = this.queue.slice(0, AT_ONCE);
      try {
        await this.desk.decide(wishes);
        banner("");
      } catch (error) {
        const status = error instanceof Error && "status" in error ? Number(error.status) : 0;
        const why = error instanceof Error ? error.message : String(error);
        if (status === 0 || status >= 500 || status === 403) {
          const waits = `${count(this.queue.length, "decision")} ${this.queue.length === 1 ? "waits" : "wait"} and will be sent.`;
          banner(status === 403 ? `${why} ${waits}` : `The studio doesn't answer. ${waits}`);
          await new Promise((done) => setTimeout(done, AGAIN));
          continue;
        }
        this.queue.splice(0, wishes.length);
        this.keep();
        this.does.refused(why);
        continue;
      }
      this.queue.splice(0, wishes.length);
      this.keep();
    }
    this.sending = false;
  }
}
