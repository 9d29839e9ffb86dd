// The form of a campaign: shows what belongs to what was chosen, keeps a draft in this browser, finds lists by name.
"use strict";

{
  const form = document.querySelector(".campaign-form");
  const chosen = (name) => (form.querySelector(`[name="${name}"]:checked`) || {}).value;
  const shows = (selector, wanted) => form.querySelectorAll(selector).forEach((each) => { each.hidden = !wanted(each); });
  const PERIOD = { daily: "days", weekly: "weeks", monthly: "months" };

  function arrange() {
    const kind = chosen("kind");
    shows(".of-kind", (each) => each.classList.contains(`of-${kind}`));
    const hours = chosen("hours");
    shows(".of-hours", (each) => each.classList.contains(`of-${hours}`));
    const starts = chosen("starts");
    shows(".of-starts", (each) => starts !== "hand" && (
      each.classList.contains("first-start") || (each.classList.contains("of-again") && starts in PERIOD)
      || (each.classList.contains("of-week") && starts === "weekly") || (each.classList.contains("of-month") && starts === "monthly")));
    if (starts in PERIOD) form.querySelector(".period").textContent = PERIOD[starts];
    form.querySelector('label[for="start_date"]').textContent = starts === "once" ? "On" : "First on";
    form.querySelectorAll(".week tr").forEach((row) => {
      const day = row.querySelector('[name="days"]');
      if (day) row.classList.toggle("off", !day.checked);
    });
    form.elements.missingDefault.closest(".field").hidden = form.elements.missing.value !== "default";
  }

  // ---------------------------------------------------------------- the draft

  const key = form.dataset.draft && `heliograph-draft-${form.dataset.draft}`;
  const note = document.getElementById("draft-note");
  const fields = () => [...new FormData(form)].filter(([name]) => !["token", "person"].includes(name));

  function put(kept) {
    for (const each of form.elements) {
      if (!each.name || each.name === "token" || each.name === "person") continue;
      const values = kept.filter(([name]) => name === each.name).map(([, value]) => value);
      if (each.type === "checkbox" || each.type === "radio") each.checked = values.includes(each.value);
      else if (each.multiple) [...each.options].forEach((one) => { one.selected = values.includes(one.value); });
      else if (values.length) each.value = values[0];
    }
  }

  const first = JSON.stringify(fields());
  if (key) {
    try {
      const kept = localStorage.getItem(key);
      if (kept && kept !== first && !location.search) {
        put(JSON.parse(kept));
        note.hidden = false;
        addEventListener("load", () => { // when everybody listens
          form.elements.text.dispatchEvent(new Event("input", { bubbles: true }));
          htmx.trigger(form.elements.text, "set");
        });
      }
    } catch { localStorage.removeItem(key); } // of another version, or no JSON
    let later = 0;
    form.addEventListener("input", () => {
      clearTimeout(later);
      later = setTimeout(() => localStorage.setItem(key, JSON.stringify(fields())), 300);
    });
    note.querySelector("[data-afresh]").addEventListener("click", () => {
      localStorage.removeItem(key);
      location.reload();
    });
    form.addEventListener("submit", () => { clearTimeout(later); localStorage.setItem(key, JSON.stringify(fields())); });
  }

  const zone = form.querySelector("[data-zone-of-browser]");
  if (!zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;

  form.addEventListener("change", arrange);
  arrange();

  const filter = form.querySelector("[data-filter]");
  if (filter) filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    form.querySelectorAll(".pick-one").forEach((one) => { one.hidden = !one.textContent.toLowerCase().includes(wanted) && !one.querySelector("input").checked; });
  });

  const wrong = form.querySelector(".wrong input, .wrong select, .wrong textarea");
  if (wrong) wrong.focus();
}
