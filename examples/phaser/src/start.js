// Starts the game, or says what is missing.

const MISSING = {
  "./game.js": "There is no loader or no Phaser yet. Run `assetgen integrate phaser` and `npm install` in this folder.",
  "../assets/generated/sprites.phaser.json": "There are no sprites yet. Run `assetgen batch` in this folder.",
};

async function exists(path) {
  return (await fetch(new URL(path, import.meta.url), { method: "HEAD" })).ok;
}

function say(text) {
  document.body.append(Object.assign(document.createElement("p"), { textContent: text }));
}

try {
  const { start } = await import("./game.js");
  if (await exists("../assets/generated/sprites.phaser.json")) globalThis.creatures = start(); // for the browser's console
  else say(MISSING["../assets/generated/sprites.phaser.json"]);
} catch {
  say(MISSING["./game.js"]);
}
