// @ts-check
/**
 * Loads the sprites that `assetgen batch --target phaser` has published, in Phaser 3 and 4.
 *
 *     import { preload } from "./src/assetgen/phaser.js";
 *
 *     class Game extends Phaser.Scene {
 *       preload() { this.sprites = preload(this, "assets/generated"); }
 *       create() { this.add.image(100, 60, this.sprites.key, this.sprites.random("dragon")); }
 *     }
 *
 * @module
 */

/** @import * as Phaser from "phaser" */

const KEY = "assetgen";
const NEAREST = 1; // Phaser.Textures.FilterMode.NEAREST; importing Phaser would take a bundler or an import map
const ABSOLUTE = /^(?:[a-z][a-z\d+.-]*:|\/\/)/i;

/**
 * Puts all sprites on the loader of a scene, in its `preload`; they are there in its `create`. Unfiltered, since pixel
 * art must not be blurred.
 *
 * @param {Phaser.Scene} scene
 * @param {string} [base] the folder of generated sprites; as in every call of the loader, its `path` comes before it
 * @param {string} [key] of the texture that holds them all
 * @returns {Sprites}
 */
export function preload(scene, base = "assets/generated", key = KEY) {
  const { load, textures } = scene;
  if (!textures.exists(key)) {
    const folder = base.replace(/\/$/, "");
    const { path, prefix } = load;
    load.setPrefix(""); // Phaser looks for images behind the first "_" of a key, and a prefix may hold one
    load.multiatlas(key, `${folder}/sprites.phaser.json`, `${ABSOLUTE.test(folder) ? "" : path}${folder}/`);
    load.setPrefix(prefix);
    load.once("complete", () => {
      if (textures.exists(key)) textures.get(key).setFilter(NEAREST);
    });
  }
  return new Sprites(textures, key);
}

/** The loaded sprites, by type. In another scene than the one that loaded them: `new Sprites(this.textures)`. */
export class Sprites {
  #textures;
  #key;
  /** @type {Phaser.Textures.Texture | undefined} */
  #texture;
  /** @type {Map<string, string[]>} */
  #names = new Map();

  /**
   * @param {Phaser.Textures.TextureManager} textures
   * @param {string} [key]
   */
  constructor(textures, key = KEY) {
    this.#textures = textures;
    this.#key = key;
  }

  /** The key of the texture that has every sprite as a frame. */
  get key() {
    return this.#key;
  }

  /**
   * All types, sorted.
   *
   * @returns {string[]}
   */
  types() {
    return [...this.#byType().keys()].sort();
  }

  /**
   * The names of a type's sprites, in the order of their slots. A name never changes.
   *
   * @param {string} type
   * @returns {readonly string[]}
   */
  names(type) {
    const names = this.#byType().get(type);
    if (!names) throw new Error(`There are no sprites of type "${type}"; there are: ${this.types().join(", ")}.`);
    return names;
  }

  /**
   * The name of one sprite of a type, by chance; of any type where none is given.
   *
   * @param {string} [type]
   * @param {() => number} [random] gives numbers from 0 to below 1: `() => Phaser.Math.RND.frac()` for seeded ones
   * @returns {string}
   */
  random(type, random = Math.random) {
    return pick(this.names(type ?? pick(this.types(), random)), random);
  }

  /**
   * A type as its artist wrote it.
   *
   * @param {string} type
   * @returns {string}
   */
  label(type) {
    const [first] = this.names(type);
    return this.#data(/** @type {string} */ (first)).label;
  }

  /**
   * The type of a sprite.
   *
   * @param {string} name
   * @returns {string}
   */
  type(name) {
    return this.#data(name).type;
  }

  /**
   * How sure the classifier is of a sprite's type, 0 to 1.
   *
   * @param {string} name
   * @returns {number}
   */
  score(name) {
    return this.#data(name).score;
  }

  /**
   * @param {string} name
   * @returns {{ type: string, label: string, score: number }}
   */
  #data(name) {
    const texture = this.#loaded();
    if (!texture.has(name)) throw new Error(`There is no sprite "${name}".`);
    return /** @type {{ type: string, label: string, score: number }} */ (texture.get(name).customData);
  }

  #byType() {
    const texture = this.#loaded();
    if (texture !== this.#texture) {
      this.#texture = texture;
      this.#names = new Map();
      for (const name of texture.getFrameNames()) {
        const { type } = this.#data(name);
        const names = this.#names.get(type);
        if (names) names.push(name);
        else this.#names.set(type, [name]);
      }
    }
    return this.#names;
  }

  /** @returns {Phaser.Textures.Texture} */
  #loaded() {
    if (this.#textures.exists(this.key)) return this.#textures.get(this.key);
    throw new Error(
      `There are no sprites under the key "${this.key}". Either they aren't loaded yet (call preload() in a scene's ` +
        "preload, and use them in its create), or a file was not found: run `assetgen batch --target phaser`.",
    );
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
