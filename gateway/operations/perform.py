"""Performing a verb by its name: arguments checked, the caller journalled, errors put into words."""

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec

from gateway.documents.ins import of_address
from gateway.operations import (
    account,
    addresses,
    addressing,
    certificates,
    citizens,
    critical,
    directory,
    escrow,
    finding,
    folders,
    habits,
    indicators,
    journal,
    keys,
    lab,
    large,
    mailbox,
    operators,
    peers,
    people,
    preview,
    quarantine,
    recall,
    receipts,
    retention,
    ruling,
    search,
    spool,
    story,
    tally,
    tokens,
    trace,
    trust,
    trust_change,
    trust_denial,
)
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from smtp.address import Address, AddressError, parse
from vault.errors import VaultError

Verb = Callable[..., Awaitable[object]]

VERBS: Mapping[str, Verb] = {
    "trust.show": trust.show,
    "trust.import": trust.import_,
    "trust.explain": trust.explain,
    "trust.diff": trust_change.diff,
    "trust.approve": trust_change.approve,
    "trust.reject": trust_change.reject,
    "trust.history": trust_change.history,
    "trust.deny": trust_denial.deny,
    "trust.allow": trust_denial.allow,
    "trust.denials": trust_denial.denials,
    "mailbox.add": mailbox.add,
    "mailbox.describe": mailbox.describe,
    "mailbox.list": mailbox.list_,
    "mailbox.find": finding.find,
    "mailbox.folders": folders.list_,
    "mailbox.show": mailbox.show,
    "mailbox.message": mailbox.message,
    "mailbox.part": mailbox.part,
    "mailbox.password": mailbox.password,
    "mailbox.certificate": mailbox.certificate,
    "mailbox.credentials": mailbox.credentials,
    "mailbox.revoke": mailbox.revoke,
    "mailbox.suspend": mailbox.suspend,
    "mailbox.resume": mailbox.resume,
    "mailbox.close": mailbox.close,
    "mailbox.share": people.share,
    "mailbox.unshare": people.unshare,
    "mailbox.people": people.people,
    "mailbox.handover": people.handover,
    "mailbox.absence": people.absence,
    "mailbox.invite": account.invite,
    "mailbox.factors": account.factors,
    "mailbox.receipts": habits.receipts,
    "address.search": addresses.search,
    "directory.status": directory.status,
    "directory.show": directory.show,
    "directory.refresh": directory.refresh,
    "directory.publish": directory.publish,
    "directory.reconcile": directory.reconcile,
    "token.add": tokens.add,
    "token.list": tokens.list_,
    "token.revoke": tokens.revoke,
    "operator.invite": operators.invite,
    "operator.list": operators.list_,
    "operator.role": operators.role,
    "operator.suspend": operators.suspend,
    "operator.resume": operators.resume,
    "operator.certificate": operators.certificate,
    "citizen.list": citizens.list_,
    "citizen.show": citizens.show,
    "citizen.oppose": citizens.oppose,
    "citizen.allow": citizens.allow,
    "lab.morning": lab.morning,
    "lab.critical": critical.critical,
    "lab.acknowledge": critical.acknowledge,
    "recall": recall.recall,
    "spool.list": spool.list_,
    "spool.show": spool.show,
    "spool.retry": spool.retry,
    "spool.cancel": spool.cancel,
    "spool.hold": certificates.hold,
    "spool.resume": certificates.resume,
    "spool.holds": certificates.holds,
    "trust.bridge": certificates.bridge,
    "trust.unbridge": certificates.unbridge,
    "trust.bridges": certificates.bridges,
    "certificates.list": certificates.list_,
    "large.list": large.list_,
    "large.show": large.show,
    "large.cancel": large.cancel,
    "large.retry": large.retry,
    "spool.peers": peers.peers,
    "spool.waiting": peers.waiting,
    "trace": trace.trace,
    "trace.find": search.find,
    "trace.story": story.story,
    "trace.reveal": story.reveal,
    "traffic.hours": tally.hours,
    "indicators": indicators.indicators,
    "receipts.tail": receipts.tail,
    "receipts.resend": receipts.resend,
    "quarantine.list": quarantine.list_,
    "quarantine.show": quarantine.show,
    "quarantine.release": ruling.release,
    "quarantine.refuse": ruling.refuse,
    "quarantine.choose": addressing.choose,
    "quarantine.note": quarantine.note,
    "quarantine.preserve": quarantine.preserve,
    "quarantine.preview": preview.preview,
    "quarantine.escrow": escrow.escrow,
    "keys.list": keys.list_,
    "keys.rotate": keys.rotate,
    "keys.escrow": keys.escrow,
    "journal.verify": journal.verify,
    "journal.export": journal.export,
    "journal.access": retention.access,
    "journal.erase": retention.erase,
    "journal.hold": retention.hold,
    "journal.unhold": retention.unhold,
    "journal.holds": retention.holds,
    "journal.search": journal.search,
    "journal.events": journal.events,
}


async def perform(rooms: Rooms, actor: str, name: str, arguments: Mapping[str, Any]) -> object:
    """Perform a verb for an operator; the journal knows of it before anything is done."""
    verb = VERBS.get(name)
    if verb is None:
        raise OperationError(
            f"this gateway knows no {name}", "the command is of another version than the gateway"
        )
    try:
        given = msgspec.convert(dict(arguments), _arguments(verb))
    except msgspec.ValidationError as error:
        raise OperationError(f"{name} was asked wrongly: {error}", "see its --help") from None
    asked = _addressed(rooms, name, msgspec.structs.asdict(given))
    told = _named(rooms, asked)
    # Who may be meant in either spelling, for access or erasure, is not made a row more of theirs.
    who = _address(told if name.startswith("citizen.") else asked)
    entry = rooms.journal.entry(
        rooms.clock(), f"operation.{name}", actor, who=who, arguments=_for_journal(told)
    )
    try:
        await rooms.database.commit([entry])
        return await verb(replace(rooms, actor=actor), **asked)
    except VaultError as error:
        raise OperationError(
            f"the vault could not do it: {error}", "look at the disk and at the gateway's log"
        ) from None


@cache
def _arguments(verb: Verb) -> type[msgspec.Struct]:
    """Return the arguments of a verb as a type, from its signature."""
    fields = [
        (name, found.annotation)
        if found.default is inspect.Parameter.empty
        else (name, found.annotation, found.default)
        for name, found in inspect.signature(verb).parameters.items()
        if found.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    return msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)


def _for_journal(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in asked.items() if value not in (None, "", False)}


def _short(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"sha256:{hashlib.sha256(value).hexdigest()}"
    return [_short(item) for item in value] if isinstance(value, list | tuple) else value


def _addressed(rooms: Rooms, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with a mailbox's address where its key was given: that shows no number."""
    named = str(asked.get("address", ""))
    if not name.startswith("mailbox.") or "@" in named:
        return asked
    found = rooms.accounts.by_key(named)
    return asked if found is None else {**asked, "address": found.address}


def _named(rooms: Rooms, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments with a patient's bare number as their address: that is veiled (R-G6)."""
    plain = "".join(str(asked.get("address", "")).split())
    matricule = of_address(plain, 15) or of_address(plain, 13)
    if matricule is None:
        return asked
    return {**asked, "address": rooms.exchanges.rules.citizens.address(matricule)}


def _address(asked: Mapping[str, Any]) -> Address | None:
    try:
        return parse(asked["address"].strip()) if "address" in asked else None
    except AddressError:
        return None
