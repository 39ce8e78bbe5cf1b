"""A change of the trust list as a person reads it: what would be, in whose place, and how much mail it is.

Made of what ``trust.diff`` answers, row by row. The gravest comes first, each row says in one sentence
what it means for mail, and its names stand apart, so that a page shows who goes and who comes. Pure. R-C6.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from trust.change import Cause

SHOWN = 60  # domains of a row on a page that shows all rows


class Sort(NamedTuple):
    """One way in which members change: how grave it is, its title, and what follows from it."""

    tone: str  # ill, warn, well, plain: its colour, never its only sign
    french: str
    english: str
    french_note: str
    english_note: str


_SORTS: Mapping[str, Sort] = {
    Cause.SIGNERS: Sort(
        "ill",
        "La liste est signée par d'autres clés",
        "The list is signed by other keys",
        "Vérifiez l'empreinte de la clé auprès de l'autorité, par un autre canal.",
        "Compare the key's fingerprint with its authority, by another channel.",
    ),
    Cause.ANCHORS: Sort(
        "ill",
        "D'autres autorités racines seraient crues",
        "Other root authorities would be believed",
        "Tout certificat qu'elles émettent pourrait alors parler pour un membre.",
        "Any certificate that they issue could then speak for a member.",
    ),
    Cause.REVOKED: Sort(
        "ill",
        "Révocation de {n}",
        "Revocation of {n}",
        "Déjà appliquée : leur courrier est refusé, sans attendre d'approbation.",
        "In force already: their mail is refused, whatever is approved.",
    ),
    Cause.REMOVED: Sort(
        "ill",
        "Retrait de {n}",
        "Removal of {n}",
        "Leur courrier serait refusé, dans les deux sens.",
        "Their mail would be refused, both ways.",
    ),
    Cause.LESSER: Sort(
        "ill",
        "Source de moindre rang pour {n}",
        "A lesser source for {n}",
        "La source qui les nommait ne les nomme plus : une autre, moins sûre, parlerait pour eux.",
        "The source that named them names them no more: another, trusted less, would speak for them.",
    ),
    Cause.REINSTATED: Sort(
        "warn",
        "Retour de {n} après révocation",
        "Return of {n} after a revocation",
        "Leur courrier passerait de nouveau.",
        "Their mail would pass again.",
    ),
    Cause.MOVED: Sort(
        "warn",
        "Changement d'opérateur pour {n}",
        "Another operator for {n}",
        "Leur courrier viendrait d'autres serveurs, et irait vers eux.",
        "Their mail would come from other servers, and go to them.",
    ),
    Cause.SOURCE: Sort(
        "warn",
        "Autre source pour {n}",
        "Another source for {n}",
        "Leurs certificats et leurs serveurs viendraient de cette source.",
        "Their certificates and hosts would be as this source says.",
    ),
    Cause.OPENED: Sort(
        "warn",
        "Ouverture de {n}",
        "Opening of {n}",
        "Toutes leurs adresses seraient garanties, inscrites ou non.",
        "All their addresses would be vouched for, listed or not.",
    ),
    Cause.SUSPENDED: Sort(
        "warn",
        "Suspension de {n}",
        "Suspension of {n}",
        "Leur courrier attendrait une personne, ici.",
        "Their mail would wait for a person, here.",
    ),
    Cause.CLOSED: Sort(
        "plain",
        "Fermeture de {n}",
        "Closing of {n}",
        "Seules leurs adresses inscrites seraient garanties.",
        "Only their listed addresses would be vouched for.",
    ),
    Cause.ADDED: Sort(
        "well",
        "Ajout de {n}",
        "{n} added",
        "Leur courrier passerait, dans les deux sens.",
        "Their mail would pass, both ways.",
    ),
    Cause.RESUMED: Sort(
        "well",
        "Fin de la suspension de {n}",
        "End of the suspension of {n}",
        "Leur courrier n'attendrait plus.",
        "Their mail would wait no more.",
    ),
    Cause.HOSTS: Sort(
        "plain",
        "Autres serveurs pour {n}",
        "Other hosts for {n}",
        "Les certificats admis restent les mêmes.",
        "The certificates that are accepted stay the same.",
    ),
    Cause.ADDRESSES: Sort(
        "plain",
        "Autre nombre d'adresses inscrites",
        "Another number of listed addresses",
        "Les adresses inscrites enrichissent la recherche ; un domaine fermé n'a qu'elles.",
        "Listed addresses make searching richer; a closed domain has no others.",
    ),
}
_MOVES: Mapping[str, Sort] = {
    "same": Sort(
        "warn",
        "Nouveaux certificats, même opérateur, pour {n}",
        "Other certificates for {n}",
        "Un renouvellement était-il attendu ? L'opérateur le dit par un autre canal.",
        "Was a renewal expected? The operator says so by another channel.",
    ),
    "more": Sort(
        "warn",
        "Un opérateur de plus pour {n}",
        "One more operator for {n}",
        "Leur courrier pourrait aussi venir de lui, et aller vers lui.",
        "Their mail could come from that one too, and go to it.",
    ),
    "less": Sort(
        "warn",
        "Un opérateur de moins pour {n}",
        "One operator fewer for {n}",
        "Leur courrier ne pourrait plus venir de lui.",
        "Their mail could no longer come from that one.",
    ),
}
_UNKNOWN = Sort("warn", "Changement : {n}", "Change: {n}", "", "")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a change."""

    number: int
    cause: str
    tone: str
    title: str
    note: str
    gone: tuple[str, ...]  # who spoke for them, or what there was
    come: tuple[str, ...]
    count: int
    domains: tuple[str, ...]
    more: int  # domains that the page leaves out
    messages: int  # our mail with them, lately
    waiting: int
    share: int  # of the row with most mail, in hundredths


def lines(
    rows: Sequence[Mapping[str, Any]], language: str, whole: int | None = None
) -> tuple[Line, ...]:
    """Return the rows of a change, the gravest first; of the one numbered ``whole``, every domain."""
    most = max((row["messages"] for row in rows), default=0)
    found = [
        _line(number, row, language, most, cut=number != whole) for number, row in enumerate(rows)
    ]
    return tuple(sorted(found, key=lambda line: (_TONES.index(line.tone), -line.messages)))


_TONES = ("ill", "warn", "well", "plain")


def _line(number: int, row: Mapping[str, Any], language: str, most: int, *, cut: bool) -> Line:
    gone, come = tuple(row["before"]), tuple(row["after"])
    sort = _SORTS.get(row["cause"], _UNKNOWN)
    if row["cause"] == Cause.MOVED:
        sort = _MOVES.get(_move(gone, come), sort)
    if gone == come:
        gone = ()
    domains = tuple(row["domains"][: SHOWN if cut else None])
    second = 0 if language == "fr" else 1
    return Line(
        number=number,
        cause=row["cause"],
        tone=sort.tone,
        title=(sort.french, sort.english)[second].format(n=domains_of(row["count"], language)),
        note=(sort.french_note, sort.english_note)[second],
        gone=gone,
        come=come,
        count=row["count"],
        domains=domains,
        more=row["count"] - len(domains),
        messages=row["messages"],
        waiting=row["waiting"],
        share=_share(row["messages"], most),
    )


def _share(part: int, most: int) -> int:
    return max(1, round(100 * part / most)) if part and most else 0


def _move(gone: tuple[str, ...], come: tuple[str, ...]) -> str:
    if gone == come:
        return "same"
    if not gone:
        return "more"
    return "" if come else "less"


class Tally(NamedTuple):
    """What a change comes to, for the head of the page."""

    domains: int
    messages: int
    waiting: int


def tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    """Return of how many domains something would change, and how much mail that is."""
    found = list(rows)
    return Tally(*(sum(row[name] for row in found) for name in ("count", "messages", "waiting")))


class Seat(NamedTuple):
    """One of the operators who must agree: who did, or nobody so far."""

    who: str


def seats(approvals: Sequence[str], needed: int) -> tuple[Seat, ...]:
    """Return who has agreed, and how many places are empty."""
    empty = max(0, needed - len(approvals))
    return tuple(Seat(who) for who in (*approvals, *[""] * empty))


@dataclass(frozen=True, slots=True)
class Passed:
    """One thing that happened to a version."""

    at: str
    step: str
    by: str
    whys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One version, and all that happened to it."""

    source: str
    version: str
    digest: str
    steps: tuple[Passed, ...]

    @property
    def tone(self) -> str:
        """How its story ended so far."""
        return _ENDS.get(self.steps[-1].step, "mute")


_ENDS = {"in-force": "well", "waiting": "wait", "approved": "wait", "rejected": "ill"}


def chapters(history: Sequence[Mapping[str, Any]], language: str) -> tuple[Chapter, ...]:
    """Return the history by versions, the newest first; of a list's own line its signers alone."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in history:
        found.setdefault((entry["source"], entry["digest"]), []).append(entry)
    return tuple(
        Chapter(
            source,
            entries[0]["version"],
            digest,
            tuple(_passed(each, language) for each in entries),
        )
        for (source, digest), entries in reversed(found.items())
    )


def _passed(entry: Mapping[str, Any], language: str) -> Passed:
    # What a version changed is drawn on its own page: here stands who signed it.
    why = str(entry["why"] or "")
    shown = (why.partition("; ")[0],) if entry["step"] == "verified" else whys(why, language)
    if language == "fr":
        shown = tuple(one.replace("signed by ", "signée par ") for one in shown)
    return Passed(entry["at"], entry["step"], entry["by"] or "", shown)


_N = r"([\d,]+|1) domains?"
_WHYS: Sequence[tuple[re.Pattern[str], str]] = [
    (
        re.compile(r"the list is signed by another key than before"),
        "la liste est signée par une autre clé",
    ),
    (re.compile(r"it brings other anchors"), "elle apporte d'autres autorités racines"),
    (
        re.compile(rf"it reinstates {_N} that had been revoked"),
        "elle rétablit {0}, révoqués auparavant",
    ),
    (
        re.compile(rf"a lesser source would speak for {_N}"),
        "une source de moindre rang parlerait pour {0}",
    ),
    (
        re.compile(rf"{_N} would change, of ([\d,]+) now"),
        "{0} changeraient, sur {1} aujourd'hui",
    ),
    (
        re.compile(rf"{_N} would be removed, of ([\d,]+) now"),
        "{0} seraient retirés, sur {1} aujourd'hui",
    ),
    (
        re.compile(r"([\d,]+) of ([\d,]+) addresses would be gone"),
        "{0} adresses sur {1} disparaîtraient",
    ),
]


def whys(why: str, language: str) -> tuple[str, ...]:
    """Return why a change waits for people, one reason a line; as it stands where it has no French."""
    return tuple(
        _french(each) if language == "fr" else each for each in why.split("; ") if each.strip()
    )


def _french(why: str) -> str:
    for pattern, words in _WHYS:
        if found := pattern.fullmatch(why):
            of_domains = "domain" in why
            numbers = [int(each.replace(",", "")) for each in found.groups()]
            told = [
                domains_of(each, "fr") if of_domains and place == 0 else amount(each, "fr")
                for place, each in enumerate(numbers)
            ]
            return words.format(*told)
    return why


def amount(number: int, language: str) -> str:
    """Return a number as it is written."""
    text = f"{number:,}"
    return text.replace(",", "\N{NARROW NO-BREAK SPACE}") if language == "fr" else text


def domains_of(number: int, language: str) -> str:
    """Return how many domains."""
    if language == "fr":
        return f"{amount(number, 'fr')}\N{NO-BREAK SPACE}domaine{'s' if number > 1 else ''}"
    return f"{amount(number, 'en')} domain{'s' if number != 1 else ''}"
