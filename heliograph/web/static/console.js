"use strict";
// What every page does by itself. Without it everything still works: forms post, pages reload.

const root = document.documentElement;
const ask = document.getElementById("ask");
const said = document.getElementById("said");
const lost = document.getElementById("lost");

root.classList.add("scripted");

// ---------------------------------------------------------------- times, in the reader's zone

const near = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const far = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const WEEK = 6 * 24 * 3600 * 1000;

// A time below a chart: the clock's, with the date where a day begins that was not told before (as chart.py has it).
function tick(time, at) {
  const seconds = Number(time.dataset.local);
  const before = time.previousElementSibling;
  const told = before && new Date(before.dateTime).toDateString() === at.toDateString();
  const day = { weekday: "short", day: "numeric", month: "short" };
  if (seconds >= 86400) return at.toLocaleDateString(undefined, day);
  const hour = { hour: "2-digit", minute: "2-digit", ...(seconds < 60 && { second: "2-digit" }) };
  return told ? at.toLocaleTimeString(undefined, hour) : at.toLocaleString(undefined, { ...day, ...hour });
}

function localise(time) {
  const at = new Date(time.dateTime);
  const ahead = at - Date.now();
  if (time.dataset.local) {
    time.title = at.toUTCString().replace("GMT", "UTC");
    time.textContent = tick(time, at);
  } else if (time.hasAttribute("data-local")) {
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
  return !old.hasAttribute || !old.hasAttribute("data-keep"); // what somebody is typing in
};
// What somebody has unfolded stays so when the page renews itself.
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));
localiseIn(document.body);
document.addEventListener("htmx:afterSwap", (event) => localiseIn(event.detail.target));

// ---------------------------------------------------------------- live pieces: <div data-stream="address">

const PATIENCE = 3000; // milliseconds without a word before a piece counts as lost
let answered = new Date();
let losing = 0;

function pulses(on) {
  document.querySelectorAll(".pulse").forEach((pulse) => {
    pulse.classList.add("on");
    pulse.classList.toggle("lost", !on);
    pulse.querySelector("[data-live]").textContent = on ? pulse.querySelector("[data-live]").dataset.live : "Not live";
  });
}

function reached() {
  answered = new Date();
  clearTimeout(losing);
  losing = 0;
  if (lost.childElementCount) lost.replaceChildren();
  pulses(true);
}

function unreached(text) {
  if (lost.childElementCount) return;
  pulses(false);
  const note = document.createElement("div");
  note.className = "note trouble";
  const line = document.createElement("p");
  line.textContent = `${text} The numbers on this page are those of ${clock.format(answered)}. Trying again.`;
  note.append(line);
  lost.replaceChildren(note);
}

class Live {
  constructor(element) {
    this.element = element;
    this.open();
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
    addEventListener("pagehide", () => this.close());
  }
  open() {
    if (this.source) return;
    this.source = new EventSource(this.element.dataset.stream);
    this.source.onmessage = (event) => {
      Idiomorph.morph(this.element, JSON.parse(event.data), { morphStyle: "innerHTML" });
      reached(); // after it: a piece comes with the words of a page that is not live
      htmx.process(this.element);
      this.element.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
    };
    this.source.addEventListener("trouble", (event) => unreached(JSON.parse(event.data)));
    this.source.onopen = () => { clearTimeout(losing); losing = 0; };
    this.source.onerror = () => {
      if (!losing) losing = setTimeout(() => unreached("The server does not answer."), PATIENCE);
      if (this.source && this.source.readyState === EventSource.CLOSED) { // an answer that is no stream
        this.close();
        setTimeout(() => this.open(), PATIENCE);
      }
    };
  }
  close() {
    if (this.source) this.source.close();
    this.source = null;
  }
  again() {
    this.close();
    this.open();
  }
}

const lives = [...document.querySelectorAll("[data-stream]")].map((element) => new Live(element));
if (lives.length) pulses(true);

// ---------------------------------------------------------------- asking

let opener = ""; // the button that asked
let card = ""; // and what it belongs to: the button may be gone once it has been obeyed
let closed = false; // the question was closed since the numbers were last new

function refocus() {
  const there = card && document.getElementById(card);
  const back = (opener && document.getElementById(opener)) || (there && there.querySelector(".asks button"));
  (back || document.getElementById("main")).focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const asking = event.target.closest(".asks");
  if (!asking) return;
  opener = event.target.querySelector("button").id;
  const whole = asking.closest("[id]");
  card = whole ? whole.id : "";
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "ask-body" || ask.open) return;
  ask.showModal();
  (document.getElementById("leave-it") || ask).focus(); // Enter on a question nobody has read yet does nothing
});
document.addEventListener("renewed", () => {
  if (!closed) return;
  closed = false;
  if (document.activeElement === document.body) refocus();
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.elt.id === "asked") return;
  ask.close();
  unreached("The server does not answer, so it is not known whether this was done.");
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.id === "asked" && xhr.status >= 400) event.detail.shouldSwap = false; // the last good numbers stay
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr } = event.detail;
  if (elt.matches("#ask form") && xhr.status) {
    ask.close();
    if (!xhr.getResponseHeader("HX-Redirect")) lives.forEach((live) => live.again()); // else what they show may be gone
  }
});
setInterval(() => {
  const asked = document.getElementById("asked");
  if (asked && ask.open && !document.hidden) htmx.trigger(asked, "tick");
}, 1000);
ask.addEventListener("close", () => {
  document.getElementById("ask-body").replaceChildren();
  refocus();
  closed = true;
});
ask.addEventListener("click", (event) => {
  if (event.target === ask) ask.close();
});

// ---------------------------------------------------------------- small things

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
  const menu = event.target.closest("[data-menu]");
  if (menu) menu.setAttribute("aria-expanded", menu.closest(".side").classList.toggle("open"));
});
document.addEventListener("change", (event) => {
  if (event.target.matches("#app, [data-submit]")) event.target.form.requestSubmit();
});
