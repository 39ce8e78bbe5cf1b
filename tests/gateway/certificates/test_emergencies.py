"""Patience and bridges are rows that nobody can forge, and that outlive a restart."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.certificates.emergencies import Asked, Emergencies, Patience
from gateway.certificates.register import Met, Register
from gateway.certificates.shelf import Answers
from gateway.demo.pki import Authority
from tests.world.clock import START
from tests.world.rest import Rest, stored
from trust.identity import Certificate
from trust.revocation import Source, Standing, State
from vault.database import Statement

LEAF = Authority.make(START).issue("mx.labo.example", days=30)
ASKED = Asked("labo.example", LEAF.der, 12.0, START, "operator:ana", "dimanche")


@pytest.fixture
async def rest(tmp_path: Path) -> AsyncIterator[Rest]:
    rest = Rest.open(tmp_path)
    yield rest
    await rest.vault.close()
    await rest.database.close()


async def test_mail_of_a_domain_is_held_and_resumed(rest: Rest, tmp_path: Path) -> None:
    """Also across a restart; who said so and why is sealed."""
    emergencies = Emergencies(rest.database, rest.ring)
    await emergencies.hold(Patience("labo.example", START, "operator:canari", "dimanche"))
    assert {"labo.example"} == emergencies.patience
    assert {"labo.example"} == Emergencies(rest.database, rest.ring).patience
    assert b"canari" not in stored(tmp_path)

    assert await emergencies.resume("labo.example")
    assert not await emergencies.resume("labo.example")
    assert frozenset() == emergencies.patience


async def test_a_bridge_stands_once_confirmed_and_for_its_hours(rest: Rest) -> None:
    """Asked is not built, and what is not confirmed within a day is forgotten."""
    emergencies = Emergencies(rest.database, rest.ring)
    await emergencies.ask(ASKED)
    assert () == emergencies.bridges(START).all
    assert [ASKED] == emergencies.asked(START + timedelta(hours=23))
    assert [] == emergencies.asked(START + timedelta(hours=24))

    built = Asked("labo.example", LEAF.der, 12.0, START, "operator:ana", "", START, "operator:bob")
    await emergencies.ask(built)
    (bridge,) = emergencies.bridges(START).all
    assert Certificate.parse(LEAF.der).spki_sha256 == bridge.spki_sha256
    assert ("operator:ana", "operator:bob") == (bridge.asked_by, bridge.confirmed_by)
    assert () == emergencies.bridges(START + timedelta(hours=12)).all
    await emergencies.end(START + timedelta(hours=11))
    assert (bridge,) == emergencies.bridges(START).all
    await emergencies.remove("labo.example")
    assert () == emergencies.bridges(START).all


async def test_a_bridge_that_ended_stays_down_whatever_the_clock_does(rest: Rest) -> None:
    """Set back by an hour it does not give an hour more."""
    emergencies = Emergencies(rest.database, rest.ring)
    built = Asked("labo.example", LEAF.der, 12.0, START, "operator:ana", "", START, "operator:bob")
    await emergencies.ask(built)
    await emergencies.end(START + timedelta(hours=12))
    assert () == emergencies.bridges(START + timedelta(hours=11)).all


async def test_a_row_that_was_moved_or_changed_grants_nothing(rest: Rest) -> None:
    """Who writes to the database without the key ring builds no bridge and stops no clock."""
    emergencies = Emergencies(rest.database, rest.ring)
    await emergencies.hold(Patience("labo.example", START, "operator:ana"))
    await emergencies.ask(
        Asked("labo.example", LEAF.der, 12.0, START, "a", "", START, "b"),
    )
    for table in ("patience", "bridge"):
        await rest.commit([Statement(f"UPDATE {table} SET domain = 'chu.example'", ())])

    assert [] == emergencies.holds()
    assert () == emergencies.bridges(START).all


async def test_what_was_met_is_read_back_as_it_was(rest: Rest) -> None:
    """And a row that was changed is a certificate that nobody has met."""
    register = Register(rest.database, rest.ring)
    day = START.replace(hour=0, minute=0)
    standing = Standing(State.REVOKED, START, None, Source.CRL, frozenset({"a" * 64}), "hold")
    one = Met("f" * 64, "peer", START, day, LEAF.der, (b"issuer",), standing, 30)
    await register.keep([one])
    await register.keep([])
    assert [one] == register.all()

    await rest.commit([Statement("UPDATE certificate SET fingerprint = ?", ("e" * 64,))])
    assert [] == register.all()
    await register.forget(START + timedelta(days=1))
    assert [] == rest.database.read("SELECT 1 FROM certificate")


async def test_an_answer_is_kept_under_its_name_alone(rest: Rest, tmp_path: Path) -> None:
    """Its name is keyed, and one put in another's place is none."""
    answers = Answers(rest.database, rest.ring)
    await answers.keep({"list canari http://x": b"1"})
    await answers.keep({"list canari http://x": b"2", "octets canari http://x": b"4"})
    await answers.keep({"answer other": b"3"})
    assert {"list canari http://x": b"2", "answer other": b"3"} == answers.load()
    assert b"4" == await answers.of("octets canari http://x")
    long = b"5" * (3 << 20) + b"6"  # in pieces: none of them is sealed for long
    await answers.keep({"octets canari http://x": long})
    assert long == await answers.of("octets canari http://x")
    await answers.keep({"octets canari http://x": b"7"})
    assert b"7" == await answers.of("octets canari http://x")
    assert b"canari" not in stored(tmp_path)

    await answers.forget(["answer other"])
    await answers.forget([])
    await rest.commit([Statement("UPDATE authority SET name = 'ff' WHERE name < 'w'", ())])
    assert {} == answers.load()
    await rest.commit([Statement("UPDATE authority SET facts = x'00'", ())])
    assert await answers.of("octets canari http://x") is None
    await answers.forget(["octets canari http://x"])
    assert await answers.of("octets canari http://x") is None
