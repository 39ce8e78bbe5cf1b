// What makes the console easier where scripts run; every page works without.
"use strict";

// A page that keeps itself up to date says when it no longer does.
document.addEventListener("htmx:sseClose", () => document.body.classList.add("ended"));

// On a telephone the navigation is a strip: where one is comes into view.
const here = document.querySelector(".rail [aria-current]");
if (here && here.offsetLeft + here.offsetWidth > innerWidth) {
  here.closest("ul").scrollLeft = here.offsetLeft - innerWidth / 2;
}
