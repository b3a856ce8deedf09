// Draws every sprite that the loader knows, and tells what it knows of them. ?only=PATH: of one sheet, without it.
import { Application, Assets, Sprite, VERSION } from "pixi.js";
import { load } from "./src/assetgen/pixi.js";

const ZOOM = 2;
const SIDE = 1024;
const BASE = "assets/generated/";
const only = new URLSearchParams(location.search).get("only");

const app = new Application();
await app.init({
  width: SIDE,
  height: SIDE,
  backgroundAlpha: 0,
  preference: "webgl",
  autoStart: false,
  preserveDrawingBuffer: true,
});
const seen = { version: VERSION, renderer: app.renderer.name, sprites: [] };
let [x, y, row] = [0, 0, 0];

function draw(texture, told) {
  const sprite = new Sprite(texture);
  const { width, height } = sprite;
  if (x + width * ZOOM > SIDE) [x, y, row] = [0, y + row, 0];
  sprite.position.set(x, y);
  sprite.scale.set(ZOOM);
  app.stage.addChild(sprite);
  seen.sprites.push({ ...told, rect: [x, y, width, height] });
  x += width * ZOOM;
  row = Math.max(row, height * ZOOM);
}

function messageOf(call) {
  try {
    return String(call());
  } catch (error) {
    return error.message;
  }
}

try {
  if (only) {
    const sheet = await Assets.load(BASE + only);
    for (const part of [sheet, ...sheet.linkedSheets]) {
      part.textureSource.scaleMode = "nearest";
      for (const [type, textures] of Object.entries(part.animations)) {
        for (const texture of textures) {
          const { score } = part.data.frames[texture.label];
          draw(texture, { name: texture.label, type, label: type, score });
        }
      }
    }
  } else {
    const sprites = await load(BASE);
    seen.types = sprites.types();
    for (const type of seen.types) {
      for (const name of sprites.names(type)) {
        const [own, label, score] = [sprites.type(name), sprites.label(type), sprites.score(name)];
        draw(sprites.texture(name), { name, type: own, label, score });
      }
    }
    const [first, last] = [() => 0, () => 1 - Number.EPSILON / 2];
    const type = seen.types.at(-1);
    seen.random = [sprites.random(type, first), sprites.random(type, last), sprites.random(undefined, last)].map(
      (texture) => texture.label,
    );
    seen.cached = Sprite.from(seen.random[0]).texture === sprites.texture(seen.random[0]);
    seen.unknown = [() => sprites.random("no such"), () => sprites.label("no such"), () => sprites.score("no such")].map(
      messageOf,
    );
  }
  app.render();
} catch (error) {
  seen.error = error.message;
}
globalThis.seen = { ...seen, picture: app.canvas.toDataURL() };
