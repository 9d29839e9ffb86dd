// Files: dropped onto their field, sent with a bar that moves, and the page that follows when one has been read.
"use strict";

for (const drop of document.querySelectorAll("[data-drop]")) {
  const input = drop.querySelector("input[type=file]");
  const word = drop.querySelector(".drop-word");
  const over = (on) => drop.classList.toggle("over", on);
  const told = () => {
    const [file] = input.files;
    if (file) word.textContent = `${file.name}, ${Math.max(1, Math.round(file.size / 1024)).toLocaleString()} kB`;
  };
  drop.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  drop.addEventListener("dragleave", () => over(false));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    told();
  });
  input.addEventListener("change", told);
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const bar = form.querySelector("[data-bar]");
  form.addEventListener("submit", (event) => {
    if (!bar || !form.reportValidity()) return;
    event.preventDefault();
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    const told = (percent, words) => {
      bar.hidden = false;
      bar.setAttribute("aria-valuenow", percent);
      bar.querySelector("rect").setAttribute("width", percent);
      bar.querySelector("[data-told]").textContent = words;
    };
    request.upload.onprogress = ({ loaded, total }) => told((100 * loaded) / total, `${Math.floor((100 * loaded) / total)} % sent`);
    request.onload = () => {
      const there = request.getResponseHeader("HX-Redirect");
      if (there) return location.assign(there);
      button.disabled = false;
      if (!request.responseText.startsWith("<!doctype")) { // a line that says why not
        document.getElementById("said").innerHTML = request.responseText;
        bar.hidden = true;
        return undefined;
      }
      document.open(); // the same page, with what is wrong beside its field
      document.write(request.responseText);
      document.close();
      return undefined;
    };
    request.onerror = () => { button.disabled = false; told(0, "The server did not take the file. Try again."); };
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.send(new FormData(form));
    button.disabled = true;
    told(0, "0 % sent");
  });
}

document.addEventListener("renewed", (event) => {
  const done = event.target.querySelector("[data-go]");
  if (done) location.replace(done.dataset.go);
});
