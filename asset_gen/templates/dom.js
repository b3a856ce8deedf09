// Small words for what pages do all the time.

/** @template {Element} E @param {string} id @param {new () => E} kind @returns {E} */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/** @template {keyof HTMLElementTagNameMap} T @param {T} tag @param {Partial<HTMLElementTagNameMap[T]>} [properties] @param {(Node | string)[]} children @returns {HTMLElementTagNameMap[T]} */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/** A figure as a person reads it. @param {number | null | undefined} value */
export function figure(value) {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(3)));
}

/** "1 sprite", "2 sprites". @param {number} number @param {string} word */
export function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** Let a screen reader say it. @param {string} text */
export function say(text) {
  element("said", HTMLElement).textContent = text;
}

/** Something that needs the person's attention, above the sprites; empty: all is well. @param {string} text */
export function banner(text) {
  const place = element("banner", HTMLElement);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

/** Save a document as a file on the person's machine. @param {string} name @param {unknown} content */
export function download(name, content) {
  const file = new Blob([JSON.stringify(content, null, 1)], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What this browser keeps for the page, where it may keep anything. @param {Storage} storage @param {string} key @returns {unknown} */
export function kept(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null; // no storage here, or somebody else's
  }
}

/** @param {Storage} storage @param {string} key @param {unknown} value */
export function keepFor(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch { /* a private window, or it is full: lasts as long as the page */ }
}
