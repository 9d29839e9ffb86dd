// The text editor: marks placeholders and costly characters where they stand, puts placeholders in, exchanges
// characters. What is said about the text comes from the server (web/composer.py).
"use strict";

{
  const PLACE = /\{\{[^{}]*\}\}|<[\w -]{1,64}>/gu;

  class Composer {
    constructor(element) {
      this.text = element.querySelector("textarea");
      this.ink = element.querySelector("[data-ink]");
      this.plain = new Set(`${element.dataset.alphabet}\n\r`);
      this.text.addEventListener("input", () => this.draw());
      new ResizeObserver(() => this.fit()).observe(this.text.parentElement);
      element.addEventListener("click", (event) => this.press(event));
      this.draw();
    }
    fit() { // as tall as its words, so that what lies behind never scrolls apart
      this.text.style.height = "auto";
      this.text.style.height = `${this.text.scrollHeight + 2}px`;
    }
    draw() {
      const fresh = document.createDocumentFragment();
      let from = 0;
      const put = (text, kind) => {
        if (!kind) return fresh.append(text);
        const mark = document.createElement("mark");
        mark.className = kind;
        mark.textContent = text;
        fresh.append(mark);
      };
      const words = (text) => {
        for (const each of text) put(each, this.plain.has(each) ? "" : "odd");
      };
      for (const found of this.text.value.matchAll(PLACE)) {
        words(this.text.value.slice(from, found.index));
        put(found[0], "own");
        from = found.index + found[0].length;
      }
      words(this.text.value.slice(from));
      fresh.append("\n");
      this.ink.replaceChildren(fresh);
      this.ink.normalize();
      this.fit();
    }
    changed() {
      this.draw();
      this.text.focus();
      this.text.dispatchEvent(new Event("input", { bubbles: true }));
    }
    press(event) {
      const button = event.target.closest("button");
      if (!button) return;
      const { put, set, person } = button.dataset;
      if (put) {
        this.text.setRangeText(put, this.text.selectionStart, this.text.selectionEnd, "end");
        this.changed();
      } else if (set) {
        this.text.value = set;
        this.changed();
      } else if (person) {
        this.text.form.elements.namedItem("person").value = person;
        htmx.trigger(this.text, "set");
      }
    }
  }

  document.querySelectorAll("[data-composer]").forEach((element) => new Composer(element));
}
