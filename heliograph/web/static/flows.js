"use strict";
// The node that is looked at, or the one where it begins, is in sight; the drawing can be seen whole; the talk is at its end.

const canvas = document.querySelector(".canvas");
const whole = document.getElementById("whole");

function show(box) {
  const inside = canvas.getBoundingClientRect();
  const at = box.getBoundingClientRect();
  canvas.scrollLeft += at.left + at.width / 2 - inside.left - inside.width / 2;
  canvas.scrollTop += at.top - inside.top - Math.max(24, inside.height / 2 - at.height);
}

function look() {
  const box = canvas.querySelector(".box.selected") || canvas.querySelector(".box.first");
  if (box) show(box);
}

if (canvas) {
  look();
  whole.addEventListener("click", () => {
    const on = canvas.classList.toggle("whole");
    whole.setAttribute("aria-pressed", on);
    if (!on) look();
  });
}

function end() {
  const phone = document.querySelector(".phone");
  if (phone) phone.scrollTop = phone.scrollHeight;
}
end();
document.addEventListener("htmx:afterSwap", () => {
  end();
  const say = document.getElementById("say");
  if (say) say.focus();
});
