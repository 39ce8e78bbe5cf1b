"""Who may do what: each verb of ``gateway.operations.perform`` with the roles that it is for.

Pure, and one table. An administrator may do everything; a verb that is not here is theirs alone, so that a
new one is nobody's by mistake. What a viewer may names no patient: looking at a message's content, at its
subject or at a citizen's address is a reviewer's, with a reason.
"""

from collections.abc import Mapping

from gateway.accounts.operators import Role

_ALL = frozenset(Role)
_REVIEW = frozenset({Role.REVIEWER})
_TRUST = frozenset({Role.LISTS})

VERBS: Mapping[str, frozenset[Role]] = {
    "trust.show": _ALL,
    "trust.explain": _ALL,
    "trust.diff": _ALL,
    "trust.history": _ALL,
    "trust.denials": _ALL,
    "trust.bridges": _ALL,
    "trust.approve": _TRUST,
    "trust.reject": _TRUST,
    "trust.deny": _TRUST,
    "trust.allow": _TRUST,
    "trust.bridge": _TRUST,
    "trust.unbridge": _TRUST,
    "address.search": _ALL,
    "directory.status": _ALL,
    "directory.show": _ALL,
    "directory.refresh": _TRUST,
    "mailbox.list": _ALL,
    "mailbox.find": _ALL,
    "mailbox.folders": _ALL,
    "mailbox.people": _ALL,
    "mailbox.factors": _ALL,
    "mailbox.credentials": _ALL,
    "spool.holds": _ALL,
    "certificates.list": _ALL,
    "lab.critical": _ALL,
    "lab.acknowledge": _REVIEW,
    "spool.peers": _ALL,
    "spool.waiting": _ALL,
    "spool.retry": _REVIEW,
    "spool.cancel": _REVIEW,
    "spool.hold": _REVIEW,
    "spool.resume": _REVIEW,
    "large.list": _ALL,
    "large.cancel": _REVIEW,
    "large.retry": _REVIEW,
    "trace.find": _ALL,
    "trace.story": _ALL,
    "trace.reveal": _REVIEW,
    "citizen.list": _REVIEW,
    "citizen.show": _REVIEW,
    "citizen.oppose": _REVIEW,
    "citizen.allow": _REVIEW,
    "traffic.hours": _ALL,
    "indicators": _ALL,
    "journal.search": _ALL,
    "journal.events": _ALL,
    "keys.list": _ALL,
    "journal.verify": _ALL,
    "quarantine.list": _ALL,
    "quarantine.show": _ALL,
    "quarantine.release": _REVIEW,
    "quarantine.refuse": _REVIEW,
    "quarantine.choose": _REVIEW,
    "quarantine.preview": _REVIEW,
    "quarantine.note": _REVIEW,
    "quarantine.preserve": _REVIEW,
    "quarantine.escrow": _REVIEW,
}


def may(role: Role, verb: str) -> bool:
    """Whether a role may ask for a verb."""
    return role is Role.ADMINISTRATOR or role in VERBS.get(verb, frozenset())


def covers(role: Role, needed: Role) -> bool:
    """Whether a role may see a page that is for another."""
    return role in {Role.ADMINISTRATOR, needed} or needed is Role.VIEWER
