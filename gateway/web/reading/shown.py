"""Foreign text made honest for a page: what it shows is what is there, in the order it is there.

Names of files and people are written by whoever sent the message. Marks that turn the order of
letters round, and those that nobody sees, go; the page isolates the rest (``<bdi>``). Unicode UTS #39.
"""

import re
from datetime import datetime
from unicodedata import category
from urllib.parse import quote

_TURNING = re.compile("[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # Persian words and emoji need them; they turn nothing round
_SPACES = re.compile(r"\s+")
_LONGEST_NAME = 120
_LONGEST_ENDING = 16
_UNSAFE = re.compile(r'[/\\:*?"<>|%]')
_NO_NAME = re.compile(r"[^ -~]")

_MONTHS = {
    "fr": [
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
_UNITS = {"fr": ("o", "Ko", "Mo", "Go"), "en": ("B", "kB", "MB", "GB")}


def clear(text: str) -> str:
    """Return text of many lines without what deceives the eye; line ends are one character."""
    text = _TURNING.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in "\n\t" or c in _JOINERS or category(c) not in _UNSEEN else _instead(c)
        for c in text
    )


def _instead(character: str) -> str:
    return "\N{REPLACEMENT CHARACTER}" if category(character) in {"Cs", "Co", "Cn"} else ""


def line(text: str, longest: int = 300) -> str:
    """Return text as one line, cut where it is too long for a page."""
    text = _SPACES.sub(" ", clear(text)).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def file_name(text: str, number: str) -> str:
    """Return a file's name as it may be shown and kept: no path, its ending always in sight."""
    name = _UNSAFE.sub("_", line(text, 1000)).strip(" .")
    if not name:
        return f"part-{number}"
    if len(name) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return name[: _LONGEST_NAME - 1] + "…"
    return f"{stem[: _LONGEST_NAME - len(ending) - 2]}…{dot}{ending}"


def disposition(name: str) -> str:
    """Return the Content-Disposition that has a browser keep a file, not open it (RFC 6266)."""
    plain = _NO_NAME.sub("_", name).replace("'", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def when(at: datetime, language: str) -> str:
    """Return a time in words, by the clock of the place where the gateway stands."""
    here = at.astimezone()
    month = _MONTHS[language][here.month - 1]
    return f"{here.day} {month} {here.year}, {here:%H:%M}"


def soon(at: datetime, now: datetime, language: str) -> str:
    """Return a time as a list has room for it: the hour today, the day this year, else the year."""
    here, there = at.astimezone(), now.astimezone()
    month = _MONTHS[language][here.month - 1]
    if here.date() == there.date():
        return f"{here:%H:%M}"
    return f"{here.day} {month}" if here.year == there.year else f"{here.day} {month} {here.year}"


def size(octets: int, language: str) -> str:
    """Return a size in words."""
    amount, unit = float(octets), 0
    while amount >= 1024 and unit < len(_UNITS[language]) - 1:
        amount, unit = amount / 1024, unit + 1
    digits = f"{amount:.1f}" if unit and amount < 10 else f"{amount:.0f}"
    if language == "fr":
        digits = digits.replace(".", ",")
    return f"{digits}\N{NO-BREAK SPACE}{_UNITS[language][unit]}"
