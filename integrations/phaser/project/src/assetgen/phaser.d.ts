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
import type * as Phaser from "phaser";
/**
 * Puts all sprites on the loader of a scene, in its `preload`; they are there in its `create`. Unfiltered, since pixel
 * art must not be blurred.
 *
 * @param {Phaser.Scene} scene
 * @param {string} [base] the folder of generated sprites; as in every call of the loader, its `path` comes before it
 * @param {string} [key] of the texture that holds them all
 * @returns {Sprites}
 */
export declare function preload(scene: Phaser.Scene, base?: string, key?: string): Sprites;
/** The loaded sprites, by type. In another scene than the one that loaded them: `new Sprites(this.textures)`. */
export declare class Sprites {
    #private;
    /**
     * @param {Phaser.Textures.TextureManager} textures
     * @param {string} [key]
     */
    constructor(textures: Phaser.Textures.TextureManager, key?: string);
    /** The key of the texture that has every sprite as a frame. */
    get key(): string;
    /**
     * All types, sorted.
     *
     * @returns {string[]}
     */
    types(): string[];
    /**
     * The names of a type's sprites, in the order of their slots. A name never changes.
     *
     * @param {string} type
     * @returns {readonly string[]}
     */
    names(type: string): readonly string[];
    /**
     * The name of one sprite of a type, by chance; of any type where none is given.
     *
     * @param {string} [type]
     * @param {() => number} [random] gives numbers from 0 to below 1: `() => Phaser.Math.RND.frac()` for seeded ones
     * @returns {string}
     */
    random(type?: string, random?: () => number): string;
    /**
     * A type as its artist wrote it.
     *
     * @param {string} type
     * @returns {string}
     */
    label(type: string): string;
    /**
     * The type of a sprite.
     *
     * @param {string} name
     * @returns {string}
     */
    type(name: string): string;
    /**
     * How sure the classifier is of a sprite's type, 0 to 1.
     *
     * @param {string} name
     * @returns {number}
     */
    score(name: string): number;
}
