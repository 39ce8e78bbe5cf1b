// What makes the console easier where scripts run; every page works without.
"use strict";

// A stream of events that rests while nobody looks: a browser opens six connections to a host, and
// pages in hidden tabs must not use them up. It goes on when the page is looked at again.
class Resting {
  constructor(url) {
    this.url = url;
    this.heard = [];
    this.over = false;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.rest() : this.open()));
    this.open();
  }

  open() {
    if (this.over || this.source || document.hidden) return;
    this.source = new EventSource(this.url);
    this.source.onopen = (event) => this.onopen?.(event);
    this.source.onerror = (event) => this.onerror?.(event);
    for (const [name, listener] of this.heard) this.source.addEventListener(name, listener);
  }

  rest() {
    this.source?.close();
    this.source = undefined;
  }

  close() {
    this.over = true;
    this.rest();
  }

  get readyState() {
    return this.over ? EventSource.CLOSED : (this.source?.readyState ?? EventSource.CONNECTING);
  }

  addEventListener(name, listener) {
    this.heard.push([name, listener]);
    this.source?.addEventListener(name, listener);
  }

  removeEventListener(name, listener) {
    this.heard = this.heard.filter((each) => each[0] !== name || each[1] !== listener);
    this.source?.removeEventListener(name, listener);
  }
}

htmx.createEventSource = (url) => new Resting(url);

// A page that keeps itself up to date says when it no longer does.
document.addEventListener("htmx:sseClose", () => document.body.classList.add("ended"));

// On a telephone the navigation is a strip: where one is comes into view.
const here = document.querySelector(".rail [aria-current]");
if (here && here.offsetLeft + here.offsetWidth > innerWidth) {
  here.closest("ul").scrollLeft = here.offsetLeft - innerWidth / 2;
}
