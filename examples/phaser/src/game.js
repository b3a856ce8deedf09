// Left and right choose a type, space lets a random creature of it appear, and a click puts one where the mouse is.
import * as Phaser from "phaser";

import { preload } from "./assetgen/phaser.js";

const [WIDTH, HEIGHT] = [640, 400];
const HORIZON = 96; // creatures walk below it, in pixels from the top
const MOST = 120;

class Creatures extends Phaser.Scene {
  constructor() {
    super("creatures");
  }

  preload() {
    this.sprites = preload(this, "assets/generated");
  }

  create() {
    this.types = this.sprites.types();
    this.chosen = 0;
    this.creatures = [];
    this.add.rectangle(0, HORIZON, WIDTH, HEIGHT - HORIZON, 0x292536).setOrigin(0);
    this.title = this.add.text(WIDTH / 2, 32, "", { fontFamily: "sans-serif", fontSize: 24 }).setOrigin(0.5);
    this.told = this.add.text(WIDTH / 2, 66, "Press space.", { fontFamily: "sans-serif", fontSize: 13, color: "#b3adc7" });
    this.told.setOrigin(0.5);
    this.input.keyboard.on("keydown-LEFT", () => this.choose(-1));
    this.input.keyboard.on("keydown-RIGHT", () => this.choose(1));
    const { Between } = Phaser.Math;
    this.input.keyboard.on("keydown-SPACE", () => this.spawn(Between(0, WIDTH), Between(HORIZON, HEIGHT)));
    this.input.on("pointerdown", ({ x, y }) => this.spawn(x, y));
    this.choose(0);
  }

  choose(step) {
    this.chosen = (this.chosen + step + this.types.length) % this.types.length;
    this.title.setText(`<  ${this.sprites.label(this.types[this.chosen])}  >`);
  }

  spawn(x, y) {
    const name = this.sprites.random(this.types[this.chosen]);
    const image = this.add.image(0, 0, this.sprites.key, name).setOrigin(0);
    const left = Phaser.Math.Clamp(x - image.width / 2, 0, WIDTH - image.width);
    const top = Phaser.Math.Clamp(y - image.height / 2, HORIZON, HEIGHT - image.height);
    image.setDepth(top); // who is nearer stands in front
    this.creatures.push({ image, x: left, top, speed: Phaser.Math.Between(-30, 30), age: 0 });
    if (this.creatures.length > MOST) this.creatures.shift().image.destroy();
    this.told.setText(`${name}, score ${this.sprites.score(name).toFixed(2)}`);
  }

  update(_, milliseconds) {
    for (const creature of this.creatures) {
      const { image, top } = creature;
      const right = WIDTH - image.width;
      creature.age += milliseconds / 1000;
      creature.x += (creature.speed * milliseconds) / 1000;
      if (creature.x < 0 || creature.x > right) {
        creature.speed = -creature.speed;
        creature.x = Phaser.Math.Clamp(creature.x, 0, right);
      }
      const hop = Math.floor(Math.abs(Math.sin(creature.age * 6)) * 3);
      image.setPosition(Math.floor(creature.x), Math.floor(top) - hop);
    }
  }
}

export function start() {
  return new Phaser.Game({
    width: WIDTH,
    height: HEIGHT,
    pixelArt: true,
    backgroundColor: "#1c1a26",
    audio: { noAudio: true },
    scene: Creatures,
  });
}
