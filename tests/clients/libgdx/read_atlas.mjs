// Prints what Spine's runtime reads of an atlas, as JSON: node read_atlas.mjs SPINE_CORE ATLAS
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [core, path] = process.argv.slice(2);
const { TextureAtlas } = await import(pathToFileURL(`${core}/dist/TextureAtlas.js`));
const atlas = new TextureAtlas(readFileSync(path, "utf-8"));
const regions = atlas.regions.map((region) => ({
  page: region.page.name,
  filter: [region.page.minFilter, region.page.magFilter],
  size: [region.page.width, region.page.height],
  name: region.name,
  index: region.index,
  rect: [region.x, region.y, region.width, region.height],
  offset: [region.offsetX, region.offsetY],
  whole: [region.originalWidth, region.originalHeight],
  turned: region.degrees,
}));
console.log(JSON.stringify(regions));
