"""What a laboratory's software finds beside its files: small JSON objects, one a stage. Pure.

They say for each recipient what became of it, in codes and words; they lie where the results lay,
and nowhere else. docs/laboratories.md names every field.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from gateway.documents import acknowledgement
from gateway.documents.acknowledgement import Outcome
from gateway.labs.names import Answer
from gateway.labs.offers import Offered
from gateway.relay import ambiguous
from gateway.relay.applications import Said
from gateway.relay.delivery import FINAL, State
from gateway.relay.message import Copy
from quarantine.reasons import sentence

_ARRIVED = frozenset({State.DELIVERED, State.RELAYED, State.UNCONFIRMED})
_WORDS = 500  # characters of why, in HL7
_UNCONFIRMED = "unconfirmed"  # the other server took it, and has not said that it arrived


def accepted(name: str, row: Offered, copies: Sequence[Copy], *, again: bool) -> bytes:
    """Return the answer about a file that is a message now."""
    return _written(
        {
            "state": Answer.ACCEPTED,
            "file": _shown(name),
            "at": row.at.isoformat(),
            **_about(row, copies),
            "again": again,
            "recipients": [
                *map(_taken, copies),
                *_refused(row.facts.refused),
            ],
        }
    )


def failed(name: str, at: datetime, why: str, refused: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return the answer about a file of which no message came."""
    return _written(
        {
            "state": Answer.FAILED,
            "file": _shown(name),
            "at": at.isoformat(),
            "why": why,
            "recipients": _refused(refused),
        }
    )


def last(row: Offered, copies: Sequence[Copy], at: datetime) -> tuple[Answer, bytes]:
    """Return the last answer about a message, and which: failed if anybody does not have it.

    *Corrected*, if there was one, which a failure that was reported later made wrong.
    """
    which = Answer.DELIVERED if _arrived(row, copies) else Answer.FAILED
    which = Answer.CORRECTED if row.told else which
    return which, _written(
        {
            "state": which,
            "file": _shown(row.facts.name),
            "at": at.isoformat(),
            **_about(row, copies),
            "recipients": [*map(_outcome, copies), *_refused(row.facts.refused)],
        }
    )


def answered(row: Offered, copies: Sequence[Copy], said: Mapping[str, Said], at: datetime) -> bytes:
    """Return what the recipients' software made of a result, as far as it says so."""
    return _written(
        {
            "state": Answer.ANSWERED,
            "file": _shown(row.facts.name),
            "at": at.isoformat(),
            **_about(row, copies),
            "recipients": [
                {"address": copy.recipient.address, **application(said[copy.delivery.id])}
                for copy in copies
                if copy.delivery.id in said and said[copy.delivery.id].at is not None
            ],
        }
    )


def application(said: Said) -> dict[str, object]:
    """Return what software at the other end said of one copy."""
    assert said.at is not None
    told: dict[str, object] = {"application": "filed", "answered": said.at.isoformat()}
    if said.failure is not None:
        told["application"] = "failed"
        told |= {"failure": int(said.failure), "why": said.failure.french}
    return told


def taken(row: Offered) -> bytes:
    """Return in HL7 that a message was taken, if it asks for that."""
    return acknowledgement.write(row.facts.asked, Outcome(good=True, at=row.at, commit=True))


def turned(head: str, at: datetime, why: str) -> bytes:
    """Return in HL7 that a message was not taken, if it asks for that."""
    return acknowledgement.write(head, Outcome(good=False, at=at, commit=True, words=why))


def ended(row: Offered, which: Answer, copies: Sequence[Copy], at: datetime) -> bytes:
    """Return in HL7 what became of a message, if it asks for that."""
    bad = [copy.delivery for copy in copies if copy.delivery.state not in _ARRIVED]
    words = [one.said.text if one.said else one.state.value for one in bad]
    words += [why for _, why in row.facts.refused]
    good = which is Answer.DELIVERED
    outcome = Outcome(good=good, at=at, words=" / ".join(words)[:_WORDS])
    return acknowledgement.write(row.facts.asked, outcome)


def applied(row: Offered, said: Mapping[str, Said], at: datetime) -> bytes:
    """Return in HL7 what the recipients' software made of a message, if it asks for that."""
    failures = [one.failure for one in said.values() if one.failure is not None]
    failure = failures[0] if failures else None
    return acknowledgement.write(
        row.facts.asked, Outcome(good=failure is None, at=at, failure=failure)
    )


def became(row: Offered, copies: Sequence[Copy], said: Mapping[str, Said]) -> bytes:
    """Return the newest in HL7 for who asks again and again: nothing until it is final.

    That somebody does not have it goes before what software made of it elsewhere.
    """
    if any(copy.delivery.state not in FINAL for copy in copies):
        return b""
    heard = {name: one for name, one in said.items() if one.at is not None}
    if not _arrived(row, copies):
        return ended(row, Answer.FAILED, copies, max(copy.delivery.changed for copy in copies))
    if heard:
        return applied(row, heard, max(one.at for one in heard.values() if one.at is not None))
    return ended(row, Answer.DELIVERED, copies, max(copy.delivery.changed for copy in copies))


def _arrived(row: Offered, copies: Sequence[Copy]) -> bool:
    return all(copy.delivery.state in _ARRIVED for copy in copies) and not row.facts.refused


def _about(row: Offered, copies: Sequence[Copy]) -> dict[str, object]:
    if not copies:
        return {"message": row.message}
    message = copies[0].message
    return {
        "message": row.message,
        "reference": message.reference,
        "message_id": message.summary.message_id,
    }


def _taken(copy: Copy) -> dict[str, object]:
    """Return that a recipient was taken, or is held: until an operator has looked."""
    told: dict[str, object] = {"address": ambiguous.shown(copy.recipient.address), "taken": True}
    if copy.delivery.state is State.HELD:
        told["state"] = State.HELD
        if ambiguous.number(copy.recipient.address) is not None:
            told["words"] = sentence(ambiguous.REASON, "en")
    return told


def _outcome(copy: Copy) -> dict[str, object]:
    one = copy.delivery
    state = _UNCONFIRMED if one.state is State.RELAYED else one.state.value
    told: dict[str, object] = {
        "address": ambiguous.shown(copy.recipient.address),
        "state": state,
        "at": one.changed.isoformat(),
    }
    if one.said is not None and one.state is not State.DELIVERED:
        told |= {"code": one.said.code, "enhanced": one.said.enhanced, "words": one.said.text}
    return told


def _refused(refused: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    return [
        {"address": address, "taken": False, "state": "refused", "words": words}
        for address, words in refused
    ]


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _written(told: dict[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
