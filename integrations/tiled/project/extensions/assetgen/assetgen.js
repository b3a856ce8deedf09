/// <reference types="@mapeditor/tiled-api" />
// Tiled's menu entries for assetgen. Installed by `assetgen integrate tiled`; Tiled 1.5 or newer runs it.

/* global tiled, Process, MapObject */

/** The project's folder, or that of the map that is open. */
function assetgenProject() {
    if (tiled.projectFilePath) {
        return tiled.projectFilePath.replace(/[/\\][^/\\]*$/, "");
    }
    const map = tiled.activeAsset;
    return map && map.fileName ? map.fileName.replace(/[/\\][^/\\]*$/, "") : null;
}

/** Run `assetgen batch` in the project; what it says appears in Tiled's console. */
function assetgenGenerate() {
    const folder = assetgenProject();
    if (folder === null) {
        tiled.alert("Open a project, or save the map first: sprites are generated into its folder.", "assetgen");
        return;
    }
    const count = tiled.prompt("How many sprites, over all types?", "500", "assetgen");
    if (!/^[1-9][0-9]*$/.test(count)) {
        return; // cancelled, or no number
    }
    const process = new Process();
    const code = process.exec("assetgen", ["batch", "--project", folder, "--count", count, "--target", "tiled", "-q"], false);
    const said = process.readStdErr().trim();
    process.close();
    if (code !== 0) {
        tiled.alert(said || "assetgen can't be started. Install it, so that a terminal finds it.", "assetgen");
        return;
    }
    tiled.log("assetgen: " + count + " sprites are in " + folder + "/assets/generated. Tiled reloads open tilesets.");
}

/** Tiles of a type in the tilesets of a map. */
function assetgenTiles(map, type) {
    const found = [];
    for (const tileset of map.tilesets) {
        for (const tile of tileset.tiles) {
            // called className where Tiled 1.9 renamed it
            const own = tile.type !== undefined ? tile.type : tile.className;
            if (own === type) {
                found.push(tile);
            }
        }
    }
    return found;
}

/** Put sprites of a type, by chance, on the current object layer. */
function assetgenPlace() {
    const map = tiled.activeAsset;
    const layer = map && map.isTileMap ? map.currentLayer : null;
    if (!layer || !layer.isObjectLayer) {
        tiled.alert("Choose an object layer of a map that uses generated tilesets.", "assetgen");
        return;
    }
    const type = tiled.prompt("Which type?", "", "assetgen");
    if (!type) {
        return;
    }
    const tiles = assetgenTiles(map, type);
    if (tiles.length === 0) {
        tiled.alert("No tileset of this map has tiles of the type " + type + ". Add the tileset to the map first.", "assetgen");
        return;
    }
    const count = Number(tiled.prompt("How many?", "10", "assetgen"));
    map.macro("Place generated sprites", function () {
        for (let placed = 0; placed < count; placed++) {
            const tile = tiles[Math.floor(Math.random() * tiles.length)];
            const object = new MapObject(tile.property("name"));
            object.tile = tile;
            object.width = tile.width;
            object.height = tile.height;
            object.x = Math.floor(Math.random() * (map.width * map.tileWidth - tile.width));
            object.y = tile.height + Math.floor(Math.random() * (map.height * map.tileHeight - tile.height));
            layer.addObject(object);
        }
    });
}

const assetgenGenerateAction = tiled.registerAction("AssetGenGenerate", assetgenGenerate);
assetgenGenerateAction.text = "Generate Sprites…";
const assetgenPlaceAction = tiled.registerAction("AssetGenPlace", assetgenPlace);
assetgenPlaceAction.text = "Place Generated Sprites…";
tiled.extendMenu("File", [{ separator: true }, { action: "AssetGenGenerate" }]);
tiled.extendMenu("Map", [{ separator: true }, { action: "AssetGenPlace" }]);
