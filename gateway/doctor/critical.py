"""Whether somebody would be told of a critical result that does not arrive: a mail that reaches them. R-F1."""

from collections.abc import Iterator

from gateway.doctor.beliefs import Ask
from gateway.doctor.finding import Finding, ok, warn
from gateway.settings import Settings
from gateway.settings.labs import CriticalResults
from smtp.address import Address, domain_of

_ROOM = "critical results"
_KEY = "[[labs.critical]]"


def persons(settings: Settings, ask: Ask) -> Iterator[Finding]:
    """Look at who is named for each mailbox, and whether mail reaches them."""
    for each in settings.labs.critical:
        if not _sends(each.mailbox, ask):
            yield warn(_ROOM, f"{each.mailbox} is no mailbox that sends", f"see {_KEY} mailbox")
        if not each.mail:
            cure = f"name a person and their address: {_KEY} mail"
            yield warn(_ROOM, f"{each.mailbox}: nobody is told by mail", cure)
            continue
        unreached = [to for to in each.mail if not _reached(to, each, settings, ask)]
        for to in unreached:
            yield warn(_ROOM, f"{each.mailbox}: no mail reaches {to}", f"see {_KEY} mail")
        if not unreached:
            whom = each.person or ", ".join(each.mail)
            yield ok(_ROOM, f"{each.mailbox}: {whom} is told after {each.within:.0f} s")


def _reached(to: str, each: CriticalResults, settings: Settings, ask: Ask) -> bool:
    if domain_of(Address(to)) in settings.site.domains:
        return _sends(to, ask)
    *_, verdict = ask("trust.explain", sender=each.mailbox, recipient=to)
    return bool(verdict["outcome"] == "allow")


def _sends(mailbox: str, ask: Ask) -> bool:
    found = ask("mailbox.find", search=mailbox)["mailboxes"]
    return any(one["address"] == mailbox and one["status"] == "active" for one in found)
