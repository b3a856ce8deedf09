// The sample sheets lie on top of each other; the slider shows one of them.
const slider = document.getElementById("time");
if (slider) {
  const sheets = [...document.querySelectorAll("#sheets img")];
  const show = () => {
    sheets.forEach((sheet, place) => sheet.classList.toggle("shown", place === Number(slider.value)));
    document.getElementById("when").textContent = sheets[slider.value].alt;
  };
  slider.addEventListener("input", show);
  show(); // a browser may have kept where the slider stood
}
