// What lies behind sprites: squares, a colour, or a screenshot of the person's own game, which never leaves the browser.
import { element, kept, keepFor } from "./dom.js";

const KEY = "assetgen backdrop";

export function backdrop() {
  const choice = element("backdrop", HTMLSelectElement), colour = element("colour", HTMLInputElement);
  const file = element("picture", HTMLInputElement), root = document.documentElement;
  let address = "";

  function show() {
    const own = choice.value === "colour", picture = choice.value === "picture" && address;
    element("colours", HTMLElement).hidden = !own;
    const flat = own ? colour.value : choice.value.startsWith("#") ? choice.value : "";
    root.classList.toggle("flat", Boolean(flat || picture));
    root.style.setProperty("--flat", flat || "transparent");
    root.style.setProperty("--picture", picture ? `url("${address}")` : "none");
    if (!picture) keepFor(localStorage, KEY, { choice: choice.value === "picture" ? "" : choice.value, colour: colour.value });
  }

  choice.addEventListener("change", () => {
    if (choice.value === "picture" && !address) file.click();
    show();
  });
  colour.addEventListener("input", show);
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(chosen);
    show();
  });
  const held = kept(localStorage, KEY);
  if (held && typeof held === "object" && "choice" in held && "colour" in held) {
    if (/^#[0-9a-f]{6}$/.test(String(held.colour))) colour.value = String(held.colour);
    choice.value = String(held.choice);
    if (choice.selectedIndex < 0) choice.value = "";
  }
  show();
}
