// The studio that the page came from: what it knows, what it is told, what it tells.

/** @typedef {import("./model.js").Wall} Wall @typedef {import("./model.js").Wish} Wish @typedef {import("./model.js").Change} Change */
/** @typedef {{version: string, sprites: Change[]}} News */

/** An answer that is no yes. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Server {
  /** Whether what is decided is in the files at once. */
  live = true;

  /** @param {string} path @param {unknown} [body] @param {AbortSignal} [signal] @returns {Promise<any>} */
  async ask(path, body, signal) {
    const answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    const type = answer.headers.get("content-type") ?? "";
    const told = type.startsWith("application/json") ? await answer.json() : { error: await answer.text() };
    if (!answer.ok) throw new Refused(answer.status, told.error ?? `The studio answers ${answer.status}.`);
    return told;
  }

  /** @returns {Promise<Wall>} */
  load() {
    return this.ask("/api/wall");
  }

  /** @param {Wish[]} wishes @returns {Promise<News>} */
  decide(wishes) {
    return this.ask("/api/decisions", { wishes });
  }

  /** @param {string} id @param {AbortSignal} signal @returns {Promise<any>} */
  about(id, signal) {
    return this.ask(`/api/sprites/${id}`, undefined, signal);
  }

  /** @param {{id: string}} sprite */
  picture({ id }) {
    return `/sprites/${id}.png`;
  }

  /** Hear of everything, and of the connection. @param {Record<string, (told: any) => void>} hears @param {(there: boolean) => void} there */
  listen(hears, there) {
    const source = new EventSource("/api/events");
    source.addEventListener("open", () => there(true));
    source.addEventListener("error", () => {
      there(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.listen(hears, there), 1000); // refused for good: perhaps not for ever
    });
    for (const [name, hear] of Object.entries(hears)) {
      source.addEventListener(name, (event) => hear(JSON.parse(/** @type {MessageEvent<string>} */ (event).data)));
    }
    addEventListener("pagehide", () => source.close());
  }
}
