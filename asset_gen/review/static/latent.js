// What sliders do to a code: the same as asset_gen.explore.operations, in the browser. Knows no page.

/**
 * @typedef {{sprite?: string, type?: string, seed?: number, index?: number, towards?: string, far?: number, moves?: Record<string, number>, truncation?: number}} Sliders
 * @typedef {{types: Record<string, string>, latent: number, levels: number, width: number, side: number, directions: {name: string, label: string, vector: string}[], network: string, model: string, first: string, without: string, why: string}} Told
 * @typedef {{types: Map<string, Float32Array>, directions: Map<string, Float32Array>, latent: number, levels: number, width: number}} Gear
 */

/** Little-endian float32 from base64. @param {string} text */
export function numbers(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** @param {Told} told @returns {Gear} */
export function gearOf({ types, directions, latent, levels, width }) {
  return {
    types: new Map(Object.entries(types).map(([name, text]) => [name, numbers(text)])),
    directions: new Map(directions.map(({ name, vector }) => [name, numbers(vector)])),
    latent, levels, width,
  };
}

/** @param {Float32Array} row */
function length(row) {
  let sum = 0;
  for (const number of row) sum += number * number;
  return Math.sqrt(sum);
}

/** The code [levels, width] with everything that the sliders do to it. @param {Float32Array} base @param {Sliders} sliders @param {Gear} gear */
export function applied(base, { towards = "", far = 0, moves = {}, truncation = 1 }, { types, directions, latent, levels, width }) {
  const code = base.slice();
  const other = far ? types.get(towards) : undefined;
  for (let level = 0; level < levels; level++) {
    const row = code.subarray(level * width, (level + 1) * width), z = row.subarray(0, latent);
    if (other) for (let i = latent; i < width; i++) row[i] = (1 - far) * (row[i] ?? 0) + far * (other[i - latent] ?? 0);
    for (const name of Object.keys(moves).sort()) {
      const vector = directions.get(name), amount = moves[name] ?? 0;
      if (!vector || !amount) continue;
      const before = length(z);
      for (let i = 0; i < latent; i++) z[i] = (z[i] ?? 0) + amount * (vector[i] ?? 0);
      const scale = before / Math.max(length(z), 1e-9);
      for (let i = 0; i < latent; i++) z[i] = (z[i] ?? 0) * scale;
    }
    for (let i = 0; i < latent; i++) z[i] = (z[i] ?? 0) * truncation;
  }
  return code;
}

/** On the way from one code to another: on the arc in z, straight from type to type. @param {Float32Array} first @param {Float32Array} second @param {number} position @param {Gear} gear */
export function between(first, second, position, { latent, levels, width }) {
  const code = new Float32Array(first.length);
  for (let i = 0; i < code.length; i++) code[i] = (1 - position) * (first[i] ?? 0) + position * (second[i] ?? 0);
  for (let level = 0; level < levels; level++) {
    const at = level * width, a = first.subarray(at, at + latent), b = second.subarray(at, at + latent);
    const lengths = [length(a), length(b)];
    const one = Math.max(lengths[0] ?? 0, 1e-9), other = Math.max(lengths[1] ?? 0, 1e-9);
    let dot = 0;
    for (let i = 0; i < latent; i++) dot += ((a[i] ?? 0) / one) * ((b[i] ?? 0) / other);
    const angle = Math.acos(Math.min(1, Math.max(-1, dot))), sine = Math.sin(angle);
    const straight = sine < 1e-4;
    const left = straight ? 1 - position : Math.sin((1 - position) * angle) / sine;
    const right = straight ? position : Math.sin(position * angle) / sine;
    const size = (1 - position) * (lengths[0] ?? 0) + position * (lengths[1] ?? 0);
    for (let i = 0; i < latent; i++) code[at + i] = (left * ((a[i] ?? 0) / one) + right * ((b[i] ?? 0) / other)) * size;
  }
  return code;
}

/** Premultiplied [4, s, s] in [-1, 1], as networks draw, to straight alpha, as screens show. @param {Float32Array} rgba @param {number} side */
export function pictureOf(rgba, side) {
  const picture = new ImageData(side, side), area = side * side;
  const share = (/** @type {number} */ at) => Math.min(1, Math.max(0, ((rgba[at] ?? -1) + 1) / 2));
  for (let i = 0; i < area; i++) {
    const alpha = share(3 * area + i), over = Math.max(alpha, 1 / 255);
    for (let channel = 0; channel < 3; channel++) picture.data[4 * i + channel] = Math.round(Math.min(1, share(channel * area + i) / over) * 255);
    picture.data[4 * i + 3] = Math.round(alpha * 255);
  }
  return picture;
}
