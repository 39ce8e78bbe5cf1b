"""Mailboxes are made, opened and closed by their operator."""

import base64
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from gateway.accounts.factors import Kind as Factors
from gateway.demo import documents
from gateway.demo.pki import Authority
from gateway.operations import mailbox as verbs
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from imap.index import index_of
from imap.store import INBOX, Arrival, Summary, holder, new_entry_id
from smtp.address import Address
from tests.gateway.operations.conftest import Ask
from tests.world.clock import Clock
from tests.world.rest import blocks

_DR = "dr@labo.example"


async def test_a_mailbox_is_made_and_listed(ask: Ask) -> None:
    """The opaque key is what software outside knows it by."""
    made = await ask("mailbox.add", address=_DR, kind="org", name="Secrétariat")

    assert (_DR, "ORG", "active") == (made["address"], made["kind"], made["status"])
    assert [made] == await ask("mailbox.list")
    assert made["key"] not in _DR


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [("x@chu.example", "PER", "is not ours"), ("x@labo.example", "CAT", "CAT is no kind")],
)
async def test_a_mailbox_that_cannot_be_is_refused(
    ask: Ask, address: str, kind: str, words: str
) -> None:
    """Only our own domains, and the four kinds."""
    with pytest.raises(OperationError, match=words):
        await ask("mailbox.add", address=address, kind=kind)


async def test_the_same_mailbox_is_not_made_twice(ask: Ask) -> None:
    """Two mailboxes of one address would split somebody's mail."""
    await ask("mailbox.add", address=_DR)
    with pytest.raises(OperationError, match="already a mailbox"):
        await ask("mailbox.add", address="DR@labo.example")


async def test_who_has_a_second_factor_is_given_a_password_by_two(rooms: Rooms, ask: Ask) -> None:
    """One operator alone makes none, and the owner is told of it."""
    await ask("mailbox.add", address=_DR)
    owner = rooms.accounts.find(Address(_DR))
    assert owner is not None
    _, adding = rooms.factors.adding(owner, Factors.TOTP, "JBSWY3DPEHPK3PXP")
    await rooms.database.commit(adding)
    first = await ask("mailbox.password", address=_DR)
    assert None is first["password"]

    other = replace(rooms, actor="operator:bruno")
    made = msgspec.to_builtins(await verbs.password(other, address=_DR))
    assert made["password"]
    assert 1 == len(rooms.credentials.of(owner))
    ((told,),) = rooms.database.read("SELECT count(*) FROM message")
    assert 1 == told


async def test_a_password_is_shown_once(rooms: Rooms, ask: Ask) -> None:
    """It is in the answer and nowhere else, the journal included."""
    await ask("mailbox.add", address=_DR)
    made = await ask("mailbox.password", address=_DR, label="Thunderbird")

    told = [str(entry) for entry in await rooms.journal.page(0)]
    assert len(made["password"]) > 15
    assert not any(made["password"] in line for line in told)


async def test_a_lost_device_is_shut_out(rooms: Rooms, ask: Ask) -> None:
    """Its password ends alone and at once; whoever is inside with it is shown the door."""
    await ask("mailbox.add", address=_DR)
    lost = await ask("mailbox.password", address=_DR, label="Téléphone")
    kept = await ask("mailbox.password", address=_DR)
    ended = await ask("mailbox.revoke", address=_DR, credential=lost["credential"])

    assert "revoked" == ended["status"]
    rows = {row["credential"]: row for row in await ask("mailbox.credentials", address=_DR)}
    assert ("Téléphone", None) == (
        rows[lost["credential"]]["label"],
        rows[kept["credential"]]["revoked"],
    )
    assert rows[lost["credential"]]["revoked"] is not None
    with pytest.raises(OperationError, match="no such credential in force"):
        await ask("mailbox.revoke", address=_DR, credential=lost["credential"])


@pytest.mark.parametrize("form", ["pem", "der"])
async def test_a_certificate_may_be_pem_or_der(ask: Ask, authority: Authority, form: str) -> None:
    """Operators have both."""
    issued = authority.issue("robot", email=_DR)
    octets = issued.der if form == "der" else issued.chain_pem
    await ask("mailbox.add", address=_DR, kind="APP")
    made = await ask(
        "mailbox.certificate", address=_DR, certificate=base64.b64encode(octets).decode()
    )

    assert 64 == len(made["fingerprint"])


@pytest.mark.parametrize("octets", [b"-----BEGIN CERTIFICATE-----\n", b"no certificate"])
async def test_what_is_no_certificate_is_refused(ask: Ask, octets: bytes) -> None:
    """A wrong file must not pass silently."""
    await ask("mailbox.add", address=_DR)
    with pytest.raises(OperationError, match=r"certificate"):
        await ask("mailbox.certificate", address=_DR, certificate=base64.b64encode(octets).decode())


async def test_a_closed_mailbox_stays_closed(ask: Ask) -> None:
    """A suspension ends, a closure does not."""
    await ask("mailbox.add", address=_DR)

    assert "suspended" == (await ask("mailbox.suspend", address=_DR))["status"]
    assert "active" == (await ask("mailbox.resume", address=_DR))["status"]
    assert "closed" == (await ask("mailbox.close", address=_DR))["status"]
    with pytest.raises(OperationError, match="closed"):
        await ask("mailbox.resume", address=_DR)


_SUMMARY = Summary("=?utf-8?q?Labo_d=C3=A9but?= <l@labo.example>", "=?utf-8?b?QmlsYW4=?=")


async def _delivered(rooms: Rooms, clock: Clock, body: bytes) -> None:
    mailbox = rooms.accounts.find(Address(_DR))
    assert mailbox is not None
    sealed = await rooms.vault.put(blocks(body))
    arrival = Arrival(new_entry_id(), len(body), clock(), _SUMMARY, index_of(body))
    await rooms.database.commit(
        [
            *rooms.mailboxes.filing(mailbox.id, INBOX, arrival),
            *rooms.vault.holding(sealed, [holder(arrival.id)]),
        ]
    )


async def test_what_lies_in_a_mailbox_is_shown(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """A list without content, a message with its very octets."""
    await ask("mailbox.add", address=_DR)
    body = b"Subject: Bilan\r\n\r\nok\r\n"
    await _delivered(rooms, clock, body)

    (row,) = await ask("mailbox.show", address=_DR)
    (with_content,) = await ask("mailbox.show", address=_DR, content=True)
    message = await ask("mailbox.message", address=_DR, uid=row["uid"])

    assert ("Bilan", len(body)) == (row["subject"], row["size"])
    assert "Labo début <l@labo.example>" == row["from"]  # as a mail program shows it
    assert "content" not in row
    assert body == base64.b64decode(message["content"])
    assert ["1"] == [part["part"] for part in message.pop("parts")]
    assert message == with_content
    with pytest.raises(OperationError, match="no message 7"):
        await ask("mailbox.message", address=_DR, uid=7)


async def test_a_large_folder_is_shown_page_by_page(
    rooms: Rooms, ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest, newest last; then those before."""
    await ask("mailbox.add", address=_DR)
    for number in range(7):
        await _delivered(rooms, clock, f"Subject: {number}\r\n\r\n".encode())
    monkeypatch.setattr(verbs, "PAGE", 2)

    async def uids(**how: Any) -> list[int]:
        return [row["uid"] for row in await ask("mailbox.show", address=_DR, **how)]

    assert [5, 6, 7] == await uids(limit=3)
    assert [2, 3, 4] == await uids(limit=3, before=5)
    assert [1] == await uids(limit=3, before=2)
    assert [1, 2, 3, 4, 5, 6, 7] == await uids()
    assert [4, 5, 6, 7] == await uids(limit=4)


async def test_a_part_is_taken_out_alone(rooms: Rooms, ask: Ask, clock: Clock) -> None:
    """The document comes decoded, octet for octet; a part that is not there is said so."""
    await ask("mailbox.add", address=_DR)
    found = documents.result(1, clock())
    await _delivered(rooms, clock, documents.message(found, Address("a@labo.example"), ()))

    message = await ask("mailbox.message", address=_DR, uid=1)
    parts = {part["type"]: part for part in message["parts"]}
    pdf = await ask("mailbox.part", address=_DR, uid=1, number=parts["application/pdf"]["part"])

    assert base64.b64decode(pdf["content"]).startswith(b"%PDF-1.4")
    assert "IHE_XDM.zip" == parts["application/zip"]["name"]
    with pytest.raises(OperationError, match="no part 9"):
        await ask("mailbox.part", address=_DR, uid=1, number="9")
