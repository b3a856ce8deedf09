// Draws every sprite that the loader knows, and tells what it knows of them. ?phaser3 asks for Phaser 3.
import { preload, Sprites } from "./src/assetgen/phaser.js";

const ZOOM = 2;
const SIDE = 1024;
const options = new URLSearchParams(location.search);
const Phaser = await import(`./node_modules/${options.has("phaser3") ? "phaser3" : "phaser"}/dist/phaser.esm.js`);

class Loading extends Phaser.Scene {
  constructor() {
    super("loading");
  }

  preload() {
    if (options.has("path")) this.load.setPath("assets").setPrefix("my_");
    preload(this, options.get("path") ?? "assets/generated/");
    preload(this, options.get("path") ?? "assets/generated/"); // twice does no harm
    this.prefix = this.load.prefix;
  }

  create() {
    this.scene.start("drawing", { prefix: this.prefix });
  }
}

class Drawing extends Phaser.Scene {
  constructor() {
    super("drawing");
  }

  create({ prefix }) {
    const sprites = new Sprites(this.textures);
    const seen = { version: Phaser.VERSION, renderer: this.game.config.renderType, prefix, sprites: [] };
    try {
      seen.types = sprites.types();
      let [x, y, row] = [0, 0, 0];
      for (const type of seen.types) {
        for (const name of sprites.names(type)) {
          const { width, height } = this.add.image(0, 0, sprites.key, name).setVisible(false);
          if (x + width * ZOOM > SIDE) [x, y, row] = [0, y + row, 0];
          this.add.image(x, y, sprites.key, name).setOrigin(0).setScale(ZOOM);
          const [own, label, score] = [sprites.type(name), sprites.label(type), sprites.score(name)];
          seen.sprites.push({ name, type: own, label, score, rect: [x, y, width, height] });
          x += width * ZOOM;
          row = Math.max(row, height * ZOOM);
        }
      }
      const [first, last] = [() => 0, () => 1 - Number.EPSILON / 2];
      const type = seen.types.at(-1);
      seen.random = [sprites.random(type, first), sprites.random(type, last), sprites.random(undefined, last)];
      seen.unknown = [() => sprites.random("no such"), () => sprites.score("no such")].map(messageOf);
    } catch (error) {
      seen.error = error.message;
    }
    this.game.events.once("postrender", () => {
      this.game.events.once("postrender", () => {
        globalThis.seen = { ...seen, picture: this.game.canvas.toDataURL() };
      });
    });
  }
}

function messageOf(call) {
  try {
    return String(call());
  } catch (error) {
    return error.message;
  }
}

new Phaser.Game({
  type: Phaser.WEBGL,
  width: SIDE,
  height: SIDE,
  transparent: true,
  banner: false,
  audio: { noAudio: true },
  preserveDrawingBuffer: true,
  scene: [Loading, Drawing],
});
