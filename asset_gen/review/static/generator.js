// Who draws in the lab: the browser itself, by WebAssembly, or the studio where the browser can't.
import { applied, between, gearOf, numbers, pictureOf } from "./latent.js";

/** @typedef {import("./latent.js").Sliders} Sliders @typedef {import("./latent.js").Told} Told @typedef {import("./latent.js").Gear} Gear */
/** @typedef {(path: string, body?: unknown, signal?: AbortSignal) => Promise<any>} Ask */
/**
 * @typedef {{name: "browser" | "server", draw: (sliders: Sliders) => Promise<ImageData>, way: (first: Sliders, second: Sliders, count: number) => Promise<ImageData[]>}} Generator
 */

/** Where a state begins: what is drawn before any slider is moved. @param {Sliders} sliders */
const startOf = ({ sprite = "", type = "", seed = 0, index = 0 }) => (sprite ? { sprite } : { type, seed, index });

/** @param {Told} told @param {Ask} ask @param {string} set @returns {Promise<Generator>} */
export async function openGenerator(told, ask, set) {
  if (told.network && typeof WebAssembly === "object") {
    try {
      return await inBrowser(told, ask, set);
    } catch (error) {
      console.info("the studio draws:", error); // an operator that WebAssembly has not, say
    }
  }
  return onServer(ask, set);
}

/** @param {Told} told @param {Ask} ask @param {string} set @returns {Promise<Generator>} */
async function inBrowser(told, ask, set) {
  const place = "/lab/ort.mjs";
  const ort = await import(place);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: "/lab/ort.wasm" };
  const answer = await fetch(told.network);
  if (!answer.ok) throw new Error(await answer.text());
  const session = await ort.InferenceSession.create(new Uint8Array(await answer.arrayBuffer()), { executionProviders: ["wasm"] });
  const gear = gearOf(told);
  /** @type {Map<string, Promise<Float32Array>>} */
  const starts = new Map();

  /** @param {Sliders} sliders */
  function start(sliders) {
    const begin = startOf(sliders), key = JSON.stringify(begin);
    let found = starts.get(key);
    if (!found) {
      found = ask(`/api/lab/code?set=${encodeURIComponent(set)}`, begin).then(({ code }) => numbers(code));
      starts.set(key, found);
      found.catch(() => starts.delete(key));
    }
    return found;
  }

  /** @param {Float32Array} code */
  async function drawn(code) {
    /** @type {Record<string, unknown>} */
    const inputs = {};
    for (let level = 0; level < gear.levels; level++) inputs[`code_${level}`] = new ort.Tensor("float32", code.slice(level * gear.width, (level + 1) * gear.width), [1, gear.width]);
    const { rgba } = await session.run(inputs);
    return pictureOf(rgba.data, told.side);
  }

  await drawn(new Float32Array(gear.levels * gear.width).fill(0.01)); // the first time takes longer
  return {
    name: "browser",
    draw: async (sliders) => drawn(applied(await start(sliders), sliders, gear)),
    way: async (first, second, count) => {
      const [a, b] = [applied(await start(first), first, gear), applied(await start(second), second, gear)];
      const pictures = [];
      for (let step = 0; step < count; step++) pictures.push(await drawn(between(a, b, step / (count - 1), gear)));
      return pictures;
    },
  };
}

/** @param {Ask} ask @param {string} set @returns {Generator} */
function onServer(ask, set) {
  const part = `?set=${encodeURIComponent(set)}`;

  /** @param {{made: {picture: string}[]}} answer */
  const pictures = ({ made }) => Promise.all(made.map(async ({ picture }) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
    if (!canvas) throw new Error("This browser draws no pictures.");
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.naturalWidth, image.naturalHeight);
  }));

  return {
    name: "server",
    draw: async (sliders) => {
      const [picture] = await pictures(await ask(`/api/lab/draw${part}`, sliders));
      if (!picture) throw new Error("The studio sent no picture.");
      return picture;
    },
    way: async (first, second, count) => pictures(await ask(`/api/lab/way${part}`, { first, second, count })),
  };
}
