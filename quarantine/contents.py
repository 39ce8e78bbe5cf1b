"""What lies in a message, by what it is and not by its name, however deep it lies.

Things come out of the letter, and out of archives and messages in them; each is looked at for what
it would do to whoever opens it. One finding a reason and a place; where the budget ends the look
ends, and that is a finding too.
"""

from collections.abc import Iterable, Iterator

from asn1crypto import cms

from quarantine import archives, office
from quarantine.archives import Member
from quarantine.budget import Budget, Exhausted
from quarantine.kinds import PROGRAMS, SCRIPTS, Kind, Name, kind_of
from quarantine.letter import Indexed, Letter, Thing
from quarantine.policy import Finding
from quarantine.windows import with_crlf
from quarantine.zips import ends_as_zip

_MOST = 200  # findings of one message: a reviewer reads no more
_OPENED = {
    Kind.ZIP: archives.in_zip,
    Kind.PACKED: archives.in_packed,
    Kind.TAR: archives.in_tar,
}
_SAYS: dict[Kind, str] = {
    Kind.PROGRAM: "executable",
    Kind.SHORTCUT: "executable",
    Kind.SCRIPT: "script",
    Kind.ARCHIVE: "archive-unreadable",
    Kind.ENCRYPTED: "content-encrypted",
}


_TEXTUAL = frozenset({Kind.TEXT, Kind.XML, Kind.HTML, Kind.UNKNOWN})
_NAMED: dict[str, Kind] = {
    **dict.fromkeys(("eml", "mht", "mhtml"), Kind.MESSAGE),
    **dict.fromkeys(("htm", "html", "shtml", "xhtml", "xht"), Kind.HTML),
    "svg": Kind.SVG,
}


def look(letter: Letter, budget: Budget) -> tuple[Finding, ...]:
    """Return what is found in a message, each finding once."""
    found: dict[Finding, None] = {}
    reasons: set[str] = set()  # beyond so many findings, only for what else it is
    try:
        for finding in _letter(letter, budget, 0):
            if len(found) < _MOST or finding.reason not in reasons:
                found[finding] = None
                reasons.add(finding.reason)
    except Exhausted as end:
        found[Finding(end.reason, end.why)] = None
    return tuple(found)


def _letter(letter: Letter, budget: Budget, depth: int) -> Iterator[Finding]:
    for each in letter.things():
        budget.go_on()
        if isinstance(each, Finding):
            yield each
        else:
            yield from examine(each._replace(depth=depth), budget)


def examine(thing: Thing, budget: Budget) -> Iterator[Finding]:
    """Yield what is found in one thing, and in all that lies in it."""
    names = [Name(each) for each in (thing.name, *thing.also)]
    kind = _opened_as(thing, kind_of(thing.content), names)
    if thing.attached:
        for name in names:
            yield from _alone(thing, kind, name)
        yield from office.active(kind, thing.content, thing.place, budget)
    hidden = kind is not Kind.ZIP and thing.whole and ends_as_zip(thing.content)
    if hidden and kind is not Kind.OLE:
        yield Finding("disguised", f"{thing.place}: an archive lies behind it")
        kind = Kind.ZIP
    if not thing.whole:
        if kind in _OPENED or kind is Kind.OLE:
            yield Finding("not-inspected", thing.place)
        return
    if kind in _OPENED:
        budget.descend(thing.depth + 1)
        yield from _within(thing, _OPENED[kind](thing.content, thing.place, budget), budget)
    elif kind is Kind.MESSAGE and thing.attached:
        yield from _inner(thing, thing.content, budget)
    elif kind is Kind.ENVELOPE:
        yield from _signed(thing, budget)


def _opened_as(thing: Thing, kind: Kind, names: Iterable[Name]) -> Kind:
    """Return what whoever opens it takes it for: of a text, its name decides that."""
    if kind not in _TEXTUAL:
        return kind
    named = (_NAMED[name.extension] for name in names if name.extension in _NAMED)
    return Kind.MESSAGE if thing.mail else next(named, kind)


def _alone(thing: Thing, kind: Kind, name: Name) -> Iterator[Finding]:
    """Yield what a file's kind and its name say."""
    if (reason := _SAYS.get(kind)) is not None:
        yield Finding(reason, thing.place)
    if name.extension in PROGRAMS:
        yield Finding("executable", thing.place)
    elif name.extension in SCRIPTS:
        yield Finding("script", thing.place)
    if name.turned or name.hides(kind):
        yield Finding("disguised", thing.place)


def _within(thing: Thing, members: Iterable[Member | Finding], budget: Budget) -> Iterator[Finding]:
    for each in members:
        if isinstance(each, Finding):
            yield each
            continue
        place = f"{thing.place}/{each.name}"
        if reason := office.parts_of_zip(each.name, each.content):
            yield Finding(reason, place)
        inner = Thing(each.name, each.content, place, whole=each.whole, depth=thing.depth + 1)
        with budget.holding(each.content):
            yield from examine(inner, budget)


def _inner(thing: Thing, content: bytes, budget: Budget) -> Iterator[Finding]:
    """Look into a message that is a file."""
    budget.descend(thing.depth + 1)
    indexed = Indexed()
    content = with_crlf(content)
    indexed.feed(content)
    inner = indexed.letter(lambda start, end: content[start:end], budget.limits.largest)
    for finding in _letter(inner, budget, thing.depth + 1):
        yield Finding(finding.reason, f"{thing.place}/{finding.detail}")


def _signed(thing: Thing, budget: Budget) -> Iterator[Finding]:
    """Look into what is signed as a whole (RFC 8551 §3.5.2)."""
    try:
        envelope = cms.ContentInfo.load(thing.content)
        content = envelope["content"]["encap_content_info"]["content"].native
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        content = None
    if not isinstance(content, bytes):
        yield Finding("archive-unreadable", thing.place)
        return
    yield from _inner(thing, content, budget)
