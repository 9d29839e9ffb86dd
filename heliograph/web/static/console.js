"use strict";
// What the page does by itself. Without it everything still works: forms post, pages reload.

const EVERY = 1000; // milliseconds between two looks at the numbers
const root = document.documentElement;
const ask = document.getElementById("ask");
const live = document.getElementById("live");
const said = document.getElementById("said");
const lost = document.getElementById("lost");
const pulse = document.getElementById("pulse");
const pulseText = document.getElementById("pulse-text");

root.classList.add("scripted");

// ---------------------------------------------------------------- times, in the reader's zone

const near = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const far = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const WEEK = 6 * 24 * 3600 * 1000;

function localise(time) {
  const at = new Date(time.dateTime);
  const ahead = at - Date.now();
  if (time.hasAttribute("data-local")) {
    time.title = time.textContent;
    time.textContent = (ahead >= 0 && ahead < WEEK ? near : far).format(at);
  } else {
    time.title = full.format(at);
  }
}

function localiseIn(node) {
  if (node.nodeType === Node.ELEMENT_NODE) {
    if (node.matches("time")) localise(node);
    else node.querySelectorAll("time").forEach(localise);
  }
}

// New pieces of the page are localised before they are put in: no time is ever seen to change its zone.
Idiomorph.defaults.callbacks.beforeNodeAdded = (node) => localiseIn(node);
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
  if (fresh.nodeType === Node.ELEMENT_NODE && fresh.matches("time")) localise(fresh);
};
localiseIn(document.body);

// ---------------------------------------------------------------- numbers, every second

let answered = new Date();

function look() {
  if (document.visibilityState !== "visible") return;
  htmx.trigger(live, "tick");
  const asked = document.getElementById("asked");
  if (asked && ask.open) htmx.trigger(asked, "tick");
}

function reached() {
  answered = new Date();
  if (pulse.classList.contains("lost")) {
    pulse.classList.remove("lost");
    lost.replaceChildren();
  }
  pulseText.textContent = pulseText.dataset.live;
}

function unreached(text) {
  if (!pulse.classList.contains("lost")) {
    pulse.classList.add("lost");
    pulseText.textContent = "Not live";
    const note = document.createElement("div");
    note.className = "note trouble";
    const line = document.createElement("p");
    line.textContent = `${text} The numbers on this page are those of ${clock.format(answered)}. Trying again every second.`;
    note.append(line);
    lost.replaceChildren(note);
  }
}

const refreshes = (element) => element === live || element.id === "asked";

pulse.classList.add("on");
pulseText.textContent = pulseText.dataset.live;
setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);

document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, xhr } = event.detail;
  if (!refreshes(elt) || xhr.status < 400) return;
  event.detail.shouldSwap = false; // the last good numbers stay
  if (elt === live) {
    const answer = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("p");
    unreached(answer ? answer.textContent : "The server could not answer.");
  }
});
document.addEventListener("htmx:sendError", (event) => {
  if (refreshes(event.detail.elt)) unreached("The server does not answer.");
  else {
    ask.close();
    unreached("The server does not answer, so it is not known whether this was done.");
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr, successful } = event.detail;
  if (elt === live && successful) reached();
  if (elt.matches("#ask form") && xhr.status) {
    ask.close();
    look();
  }
});

// ---------------------------------------------------------------- asking

let opener = ""; // the button that asked
let card = ""; // and its campaign: the button may be gone once it has been obeyed
let closed = false; // the question was closed since the numbers were last new

function refocus() {
  const there = document.getElementById(card);
  const back = document.getElementById(opener) || (there && there.querySelector(".do button"));
  (back || document.getElementById("main")).focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const asking = event.target.closest(".do");
  if (!asking) return;
  opener = event.target.querySelector("button").id;
  card = asking.closest(".card").id;
});
document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target === live && closed) {
    closed = false;
    if (document.activeElement === document.body) refocus();
  }
  if (target.id !== "ask-body" || ask.open) return;
  ask.showModal();
  document.getElementById("leave-it").focus(); // Enter on a question nobody has read yet does nothing
});
ask.addEventListener("close", () => {
  document.getElementById("ask-body").replaceChildren();
  refocus();
  closed = true;
});
ask.addEventListener("click", (event) => {
  if (event.target === ask) ask.close();
});

document.addEventListener("click", async (event) => {
  const close = event.target.closest("[data-close]");
  if (close && ask.open) {
    event.preventDefault();
    ask.close();
  }
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".note").remove();
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent);
    copy.textContent = "Copied";
  }
});

const app = document.getElementById("app");
if (app) app.addEventListener("change", () => app.form.requestSubmit());
