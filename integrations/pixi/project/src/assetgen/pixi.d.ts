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
import type { Spritesheet, Texture } from "pixi.js";
/** @import { Spritesheet, Texture } from "pixi.js" */
/**
 * Loads all sprites. Unfiltered, since pixel art must not be blurred.
 *
 * @param {string} [base] the folder of generated sprites
 * @returns {Promise<Sprites>}
 */
export declare function load(base?: string): Promise<Sprites>;
/** The loaded sprites, by type. A texture's `label` is the sprite's name. */
export declare class Sprites {
    #private;
    /** @param {Spritesheet} entry what `Assets.load` makes of `sprites.pixi.json` */
    constructor(entry: Spritesheet);
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
     * @returns {string[]}
     */
    names(type: string): string[];
    /**
     * The textures of a type's sprites, in the order of their slots.
     *
     * @param {string} type
     * @returns {readonly Texture[]}
     */
    textures(type: string): readonly Texture[];
    /**
     * The texture of one sprite of a type, by chance; of any type where none is given.
     *
     * @param {string} [type]
     * @param {() => number} [random] gives numbers from 0 to below 1
     * @returns {Texture}
     */
    random(type?: string, random?: () => number): Texture;
    /**
     * The texture of the sprite with this name.
     *
     * @param {string} name
     * @returns {Texture}
     */
    texture(name: string): Texture;
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
