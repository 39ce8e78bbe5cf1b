"""An entry of the journal as a house's security monitoring wants it: ECS JSON, and RFC 5424 around it.

What leaves the house names nobody: of an address its domain and its keyed pseudonym, of the details
those words that a log may hold, and no reason or folder's name that a person wrote. Unknown kinds of event go out as they are, under no category that
would be wrong. Pure; ``gateway.running.forwarding`` carries it. R-G6, R-I1, R-I3.

RFC 5424 (format), RFC 5425 (octet counting over TLS), Elastic Common Schema 8.11.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.observe.logs import WITHHELD, redact
from gateway.observe.notes import ALARMS
from smtp.address import Address, domain_of
from vault.journal import Entry

_FACILITY = 13  # log audit
_CRITICAL, _WARNING, _NOTICE, _INFO = 2, 4, 5, 6
_ENTERPRISE = 32473  # the number that is kept for examples: nobody gave us one (RFC 5612)

# By the first word of an event; a kind that is not here has no category.
_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "login": ("authentication",),
    "account": ("authentication",),
    "factor": ("authentication", "iam"),
    "session": ("network", "session"),
    "tls": ("network",),
    "peer": ("network",),
    "certificate": ("network",),
    "message": ("email",),
    "recipient": ("email",),
    "delivery": ("email",),
    "notice": ("email",),
    "reading": ("email",),
    "recall": ("email",),
    "content": ("email",),
    "case": ("email",),
    "mailbox": ("email",),
    "share": ("iam",),
    "credential": ("iam",),
    "operation": ("configuration",),
    "trust": ("configuration",),
    "denial": ("configuration",),
    "journal": ("configuration",),
}
_FAILED = frozenset(
    {
        "failed",
        "refused",
        "throttled",
        "expired",
        "revoked",
        "unverified",
        "unreachable",
        "unsigned",
    }
    | {"tampered", "copied", "wrong_certificate", "timed_out", "bounced", "unsent"}
)
_DONE = frozenset(
    {"accepted", "delivered", "relayed", "released", "shared", "unshared", "read", "added", "built"}
    | {"purged", "erased", "held", "day", "confirmed"}
)
_SLUG = re.compile(r"[a-z0-9-][a-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class Observer:
    """Who tells: this gateway."""

    host: str
    site: str


@dataclass(frozen=True, slots=True)
class Told:
    """An entry, and the pseudonyms of the two addresses in it."""

    entry: Entry
    who: bytes | None
    whom: bytes | None


def ecs(told: Told, observer: Observer) -> dict[str, Any]:
    """Return an entry as a document of the Elastic Common Schema."""
    entry = told.entry
    kind, _, last = entry.event.partition(".")
    detail = redact(None, "", _ours(entry))
    facts = {name: fact for name, fact in detail.items() if fact not in (WITHHELD, None, "")}
    event: dict[str, Any] = {
        "kind": "alert" if entry.event in ALARMS else "event",
        "id": f"{observer.site}-{entry.seq}",
        "sequence": entry.seq,
        "action": entry.event,
        "module": "sceau",
        "dataset": "sceau.journal",
        "outcome": _outcome(last),
    }
    if kind in _CATEGORIES:
        event["category"] = list(_CATEGORIES[kind])
    if "reason" in facts:
        event["reason"] = facts["reason"]
    sceau: dict[str, Any] = {"actor": entry.actor, **_ends(told)}
    if entry.message:
        sceau["message"] = entry.message
    if facts:
        sceau["detail"] = facts
    if entry.event == "journal.day":  # the signed head of a day, to be kept where we cannot reach
        sceau["head"] = entry.detail.get("digest")
    document: dict[str, Any] = {
        "@timestamp": _time(entry.at),
        "ecs": {"version": "8.11"},
        "message": entry.event,
        "event": event,
        "observer": {
            "hostname": observer.host,
            "name": observer.site,
            "product": "sceau",
            "type": "mail-gateway",
        },
        "user": {"name": entry.actor},
        "sceau": sceau,
    }
    if isinstance(ip := facts.get("ip"), str):
        document["source"] = {"ip": ip}
    return document


def syslog(told: Told, observer: Observer) -> bytes:
    """Return an entry as one message of RFC 5424, framed by its length (RFC 5425 §4.3)."""
    entry = told.entry
    header = (
        f"<{_FACILITY * 8 + _severity(entry.event)}>1 {_time(entry.at)} {_name(observer.host, 255)}"
        f" sceau - {_name(entry.event, 32)}"
    )
    facts = {"seq": str(entry.seq), "actor": entry.actor, "message": entry.message or ""}
    params = " ".join(f'{name}="{_value(text)}"' for name, text in facts.items() if text)
    head = f"{header} [sceau@{_ENTERPRISE} {params}] ".encode()
    message = head + b"\xef\xbb\xbf" + msgspec.json.encode(ecs(told, observer))
    return b"%d %s" % (len(message), message)


def line(told: Told, observer: Observer) -> bytes:
    """Return an entry as one line of ECS JSON."""
    return msgspec.json.encode(ecs(told, observer)) + b"\n"


def _ours(entry: Entry) -> dict[str, Any]:
    """Return the details without a person's own words, which may name a patient.

    They write reasons, and call folders as they like; what the gateway writes there is a word, or
    stands in an alarm.
    """
    detail = dict(entry.detail)
    if entry.event not in ALARMS and not _SLUG.fullmatch(str(detail.get("reason", "-"))):
        del detail["reason"]
    if entry.event.startswith("mailbox.") and detail.get("folder") != "INBOX":
        detail.pop("folder", None)
    return detail


def _ends(told: Told) -> dict[str, Any]:
    ends = (("who", told.entry.who, told.who), ("whom", told.entry.whom, told.whom))
    return {
        name: {"id": key.hex(), "domain": domain_of(Address(address))}
        for name, address, key in ends
        if address is not None and key is not None
    }


def _outcome(last: str) -> str:
    word = last.rpartition(".")[2]
    if word in _FAILED:
        return "failure"
    return "success" if word in _DONE else "unknown"


def _severity(event: str) -> int:
    if event in ALARMS:
        return _CRITICAL if event.endswith((".tampered", ".unsigned")) else _WARNING
    return _NOTICE if _outcome(event.rpartition(".")[2]) == "failure" else _INFO


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _name(text: str, most: int) -> str:
    """Return a header field: printable ASCII without spaces, never empty (RFC 5424 §6)."""
    return "".join(c if "!" <= c <= "~" else "?" for c in text)[:most] or "-"


def _value(text: str) -> str:
    r"""Return a parameter's value: ``"``, ``\`` and ``]`` are escaped (RFC 5424 §6.3.3)."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
