"""HTML mail made safe to look at: read by a parser, and written anew with a few harmless tags.

Nothing of the message's own markup is passed on. Each tag that goes out is one of ours and has no
attribute; everything else is text, escaped. So there is no script, style, form, picture or link to
forget: where a link led is written beside its words. Pure; slow for large mail: ask it in a thread.
"""

import html
from collections.abc import Mapping
from typing import Any, cast

from lxml import etree
from markupsafe import Markup

from gateway.web.reading.shown import clear, line

_KEPT = frozenset(
    [
        "p",
        "div",
        "blockquote",
        "ul",
        "ol",
        "li",
        "pre",
        "table",
        "tbody",
        "thead",
        "tr",
        "td",
        "th",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "sub",
        "sup",
        "code",
    ]
)
_AS = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h4", "h5": "h4", "h6": "h4", "center": "div"}
_ALONE = frozenset({"br", "hr"})
_SILENT = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "svg",
        "math",
        "object",
        "embed",
        "applet",
        "iframe",
        "frame",
        "frameset",
        "noframes",
        "select",
        "textarea",
        "button",
        "audio",
        "video",
        "canvas",
        "map",
        "datalist",
    ]
)
_VOID = frozenset({"embed", "frame"})  # they never end: their silence would not either
_DEEPEST = 40
_PARSED = 200
_MOST = 400_000  # characters written
_LONGEST_TARGET = 300


class _Written:
    """What the parser's events become."""

    def __init__(self, link: str, image: str) -> None:
        self._link, self._image = link, image
        self._out: list[str] = []
        self._size = 0
        self._open: list[str] = []  # the tags of ours that have not ended
        self._names: list[str] = []  # the message's, beside them
        self._targets: list[str] = []
        self._said: list[str] = []  # what the link under way shows
        self._silent: list[str] = []
        self._depth = 0
        self.cut = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self.cut = self.cut or self._depth > _PARSED  # beyond it the parser itself passes over
        if self._silent or tag in _SILENT:
            if tag in _SILENT and tag not in _VOID and len(self._silent) < _DEEPEST:
                self._silent.append(tag)
        elif tag in _ALONE:
            self._write(f"<{tag}>")
        elif tag == "img":
            self._write(html.escape(self._picture(attributes)))
        elif tag == "a":
            self._targets.append(attributes.get("href", ""))
            self._said.append("")
        elif ours := _AS.get(tag, tag if tag in _KEPT else ""):
            self._begin(ours, tag)

    def _begin(self, ours: str, tag: str) -> None:
        if len(self._open) < _DEEPEST and self._size < _MOST:
            self._out.append(f"<{ours}>")
            self._size += 2 * len(ours) + 5
            self._open.append(ours)
            self._names.append(tag)

    def end(self, tag: str) -> None:
        self._depth -= 1
        if self._silent:
            if tag in self._silent:
                del self._silent[self._silent.index(tag) :]
        elif tag == "a" and self._targets:
            self._led(self._targets.pop(), self._said.pop())
        elif tag in self._names:
            while self._names.pop() != tag:
                self._out.append(f"</{self._open.pop()}>")
            self._out.append(f"</{self._open.pop()}>")

    def data(self, text: str) -> None:
        if self._silent:
            return
        if self._said:
            self._said[-1] = (self._said[-1] + text)[: 2 * _LONGEST_TARGET]
        self._write(html.escape(text))

    def close(self) -> Markup:
        """Return what was written, every tag ended."""
        while self._open:
            self._out.append(f"</{self._open.pop()}>")
        return Markup("".join(self._out))  # noqa: S704 - made of our tags and escaped text alone

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > _MOST:
            self.cut = True
        else:
            self._out.append(text)

    def _led(self, target: str, said: str) -> None:
        target = line(target, _LONGEST_TARGET)
        if target and target not in {said.strip(), f"mailto:{said.strip()}"}:
            self._write(f" <span>[{html.escape(self._link)} {html.escape(target)}]</span> ")

    def _picture(self, attributes: Mapping[str, str]) -> str:
        told = line(attributes.get("alt", ""), 100)
        return f"[{self._image} {told}]" if told else ""


def safe(text: str, *, link: str = "link:", image: str = "image:") -> tuple[Markup, bool]:
    """Return what an HTML text says, as markup of ours, and whether it was cut for its length."""
    written = _Written(link, image)
    parser: Any = etree.HTMLParser(target=cast("Any", written), encoding="utf-8", no_network=True)
    try:
        parser.feed(clear(text).encode("utf-8", "replace"))
        return parser.close(), written.cut
    except etree.LxmlError:  # no parser likes it: what was read until then is kept
        return written.close(), True
