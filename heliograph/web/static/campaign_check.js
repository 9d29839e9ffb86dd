// The campaign is kept: the draft in this browser is not needed any more.
"use strict";

localStorage.removeItem(`heliograph-draft-${document.querySelector("[data-kept]").dataset.kept}`);
