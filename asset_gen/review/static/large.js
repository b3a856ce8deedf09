// One sprite as large as the window allows, in whole multiples of its pixels.
import { element } from "./dom.js";
import { WORDS, nameOf } from "./model.js";

/** @typedef {import("./model.js").Sprite} Sprite */

export class Large {
  /** @param {{picture: (sprite: Sprite) => string}} desk */
  constructor(desk) {
    this.desk = desk;
    this.dialog = element("large", HTMLDialogElement);
    this.image = element("large-image", HTMLImageElement);
    this.image.addEventListener("load", () => this.fit());
    addEventListener("resize", () => this.fit());
  }

  fit() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (!width || !this.dialog.open) return;
    const times = Math.max(1, Math.floor(Math.min((innerWidth - 64) / width, (innerHeight - 160) / height)));
    this.image.style.width = `${width * times}px`;
  }

  /** @param {Sprite | undefined} sprite */
  show(sprite) {
    if (!this.dialog.open || !sprite) return;
    this.image.src = this.desk.picture(sprite);
    this.image.alt = nameOf(sprite);
    element("large-name", HTMLElement).textContent = nameOf(sprite);
    element("large-state", HTMLElement).textContent = `${WORDS[sprite.state]}${sprite.rating === null ? "" : ` · ★${sprite.rating}`}`;
    this.dialog.dataset["state"] = sprite.state;
  }

  /** @param {Sprite | undefined} sprite */
  toggle(sprite) {
    if (this.dialog.open) return this.dialog.close();
    if (!sprite) return;
    this.dialog.showModal();
    this.show(sprite);
    this.fit();
  }
}
