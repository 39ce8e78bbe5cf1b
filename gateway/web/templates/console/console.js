// What htmx needs to be told here; every page works without it.
"use strict";

document.addEventListener("htmx:sseClose", () => document.body.classList.add("ended"));
