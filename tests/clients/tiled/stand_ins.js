// Runs the extension with stand-ins of Tiled's own objects, and prints what it did: node stand_ins.js EXTENSION FOLDER
"use strict";
const fs = require("fs");
const vm = require("vm");

const [extension, folder] = process.argv.slice(2);
const seen = { menus: {}, logged: [], macros: [] };
const actions = {};
let answers = [];
let alerts = [];
let outcome = { code: 0, said: "" };

class Process {
    exec(program, args, throws) {
        if (throws) throw new Error("the extension wants a code, not an exception");
        seen.ran = [program, ...args];
        return outcome.code;
    }
    readStdErr() { return outcome.said; }
    close() { seen.closed = true; }
}
class MapObject {
    constructor(name) { this.name = name; }
}
const tile = (type, name) => ({ type, width: 64, height: 64, property: (key) => (key === "name" ? name : undefined) });
const layer = { isObjectLayer: true, objects: [], addObject(object) { this.objects.push(object); } };
const map = {
    isTileMap: true, width: 10, height: 5, tileWidth: 32, tileHeight: 32, currentLayer: layer, fileName: folder + "/a.tmx",
    tilesets: [
        { tiles: [tile("dragon", "dragon_000000"), tile("dragon", "dragon_000001")] },
        { tiles: [tile("potion", "potion_000000")] },
    ],
    macro(name, change) { seen.macros.push(name); change(); },
};
const tiled = {
    projectFilePath: folder + "/game.tiled-project",
    activeAsset: map,
    alert(text) { alerts.push(text); },
    prompt() { return answers.shift(); },
    log(text) { seen.logged.push(text); },
    registerAction(id, run) { actions[id] = run; return {}; },
    extendMenu(menu, items) { seen.menus[menu] = items.filter((item) => item.action).map((item) => item.action); },
};
vm.runInNewContext(fs.readFileSync(extension, "utf-8"), { tiled, Process, MapObject, Math, Number });

function does(action, given) {
    answers = given;
    alerts = [];
    actions[action]();
    return alerts.join("\n");
}

does("AssetGenGenerate", ["40"]);
const ran = seen.ran;
outcome = { code: 5, said: "assetgen: no such model" };
seen.failed = does("AssetGenGenerate", ["40"]);
delete seen.ran;
does("AssetGenGenerate", [""]); // cancelled
if (seen.ran) throw new Error("a cancelled question must start nothing");
seen.ran = ran;
does("AssetGenPlace", ["dragon", "7"]);
seen.placed = layer.objects.map(({ name, tile, x, y }) => ({ name, tile: tile.property("name"), x, y }));
seen["no type"] = does("AssetGenPlace", ["wyvern"]);
tiled.activeAsset = { ...map, currentLayer: { isObjectLayer: false } };
seen["no layer"] = does("AssetGenPlace", []);
console.log(JSON.stringify(seen));
