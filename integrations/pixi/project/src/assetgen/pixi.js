// @ts-check
/**
 * Loads the sprites that `assetgen batch --target pixi` has published, in PixiJS 8.
 *
 *     import { Sprite } from "pixi.js";
 *     import { load } from "./src/assetgen/pixi.js";
 *
 *     const sprites = await load("assets/generated");
 *     app.stage.addChild(new Sprite(sprites.random("dragon")));
 *
 * @module
 */

import { Assets } from "pixi.js";

/** @import { Spritesheet, Texture } from "pixi.js" */

/**
 * Loads all sprites. Unfiltered, since pixel art must not be blurred.
 *
 * @param {string} [base] the folder of generated sprites
 * @returns {Promise<Sprites>}
 */
export async function load(base = "assets/generated") {
  return new Sprites(await Assets.load(`${base.replace(/\/$/, "")}/sprites.pixi.json`));
}

/** The loaded sprites, by type. A texture's `label` is the sprite's name. */
export class Sprites {
  /** @type {Map<string, Texture[]>} */
  #byType = new Map();
  /** @type {Map<string, { texture: Texture, type: string, score: number }>} */
  #byName = new Map();
  /** @type {Map<string, string>} */
  #labels;

  /** @param {Spritesheet} entry what `Assets.load` makes of `sprites.pixi.json` */
  constructor(entry) {
    const meta = /** @type {{ labels: Record<string, string> }} */ (/** @type {unknown} */ (entry.data.meta));
    this.#labels = new Map(Object.entries(meta.labels));
    for (const sheet of entry.linkedSheets) {
      sheet.textureSource.scaleMode = "nearest";
      for (const [type, textures] of Object.entries(sheet.animations)) {
        this.#byType.set(type, [...(this.#byType.get(type) ?? []), ...textures]);
      }
      for (const [name, frame] of Object.entries(sheet.data.frames)) {
        const { type, score } = /** @type {{ type: string, score: number }} */ (/** @type {unknown} */ (frame));
        this.#byName.set(name, { texture: /** @type {Texture} */ (sheet.textures[name]), type, score });
      }
    }
  }

  /**
   * All types, sorted.
   *
   * @returns {string[]}
   */
  types() {
    return [...this.#byType.keys()].sort();
  }

  /**
   * The names of a type's sprites, in the order of their slots. A name never changes.
   *
   * @param {string} type
   * @returns {string[]}
   */
  names(type) {
    return this.textures(type).map((texture) => String(texture.label));
  }

  /**
   * The textures of a type's sprites, in the order of their slots.
   *
   * @param {string} type
   * @returns {readonly Texture[]}
   */
  textures(type) {
    const textures = this.#byType.get(type);
    return textures ?? this.#noSuch(type);
  }

  /**
   * The texture of one sprite of a type, by chance; of any type where none is given.
   *
   * @param {string} [type]
   * @param {() => number} [random] gives numbers from 0 to below 1
   * @returns {Texture}
   */
  random(type, random = Math.random) {
    return pick(this.textures(type ?? pick(this.types(), random)), random);
  }

  /**
   * The texture of the sprite with this name.
   *
   * @param {string} name
   * @returns {Texture}
   */
  texture(name) {
    return this.#sprite(name).texture;
  }

  /**
   * A type as its artist wrote it.
   *
   * @param {string} type
   * @returns {string}
   */
  label(type) {
    return this.#labels.get(type) ?? this.#noSuch(type);
  }

  /**
   * The type of a sprite.
   *
   * @param {string} name
   * @returns {string}
   */
  type(name) {
    return this.#sprite(name).type;
  }

  /**
   * How sure the classifier is of a sprite's type, 0 to 1.
   *
   * @param {string} name
   * @returns {number}
   */
  score(name) {
    return this.#sprite(name).score;
  }

  /**
   * @param {string} type
   * @returns {never}
   */
  #noSuch(type) {
    throw new Error(`There are no sprites of type "${type}"; there are: ${this.types().join(", ")}.`);
  }

  /** @param {string} name */
  #sprite(name) {
    const sprite = this.#byName.get(name);
    if (!sprite) throw new Error(`There is no sprite "${name}".`);
    return sprite;
  }
}

/**
 * @template T
 * @param {readonly T[]} items not empty
 * @param {() => number} random
 * @returns {T}
 */
function pick(items, random) {
  return /** @type {T} */ (items[Math.floor(random() * items.length)]);
}
