"""Walks through the pages that are about whom to believe and who has a mailbox."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.app import clock
from gateway.demo.pki import Authority
from tests.gateway.console import stage
from tests.gateway.console.desk import Operators
from tests.gateway.console.walking import Walker
from trust.identity import Certificate, Identity, Way
from trust.members import Member
from trust.revocation import Source, Standing, State

TRUST, MAILBOXES = "/console/trust", "/console/mailboxes"
CHANGES, DENIALS, EXPLAIN = f"{TRUST}/changes", f"{TRUST}/denials", f"{TRUST}/explain"
_PIRATE, _OLD = "pirate.example", "vieux.example"
_NAME = Identity(Way.DN, r"CN=mx.pirate.example,O=\<img src\=x onerror\=alert(1)\>")
_DAY = timedelta(days=1)
_BRIDGE = "form[action$='/bridge'] button"


async def trust(one: Walker, other: Walker, folder: Path) -> None:
    """Searched, explained; a change rejected, one approved; somebody denied, a bridge built by two."""
    del folder
    place = one.desk.place
    der = _ran_out(one.desk)
    place.lists.members[_PIRATE] = Member(_PIRATE, (_NAME,))
    await stage.pending(place, place.lists)
    await one.at(TRUST, "Un changement")
    await one.sends(TRUST, "onerror", q=_PIRATE)
    await one.presses(f"a[href$='/members/{_PIRATE}']", "onerror")
    await one.presses(f"a[href^='{EXPLAIN}?']")
    await one.sends(EXPLAIN, "pirate.example", sender="dr@chu.example", recipient=f"a@{_PIRATE}")
    await one.sends(EXPLAIN, recipient=stage.HOSTILE)
    await one.at(CHANGES, "40")
    await one.sends("/reject", "Rejeté", reason=stage.HOSTILE)
    await one.presses(".chapters a >> nth=-1", "onerror")
    await stage.pending(place, place.lists)
    await one.at(CHANGES)
    await one.sends("/approve", "Approuvé.")
    await one.at(f"{TRUST}/members/d0001.example")
    await one.presses(f"a[href^='{DENIALS}?']")
    await one.sends("/deny", "d0001.example", stage.HOSTILE, reason=stage.HOSTILE)
    await one.sends("/deny", what=stage.HOSTILE, reason="x")
    await one.at(DENIALS)
    await one.sends("/allow", "Refus levé", "Nous ne refusons personne", reason="une erreur")
    _vouched(one.desk, der)
    await one.sends(
        "/bridge", "Un second", stage.HOSTILE, domain=_OLD, hours="12", why=stage.HOSTILE
    )
    assert 1 == await one.page.locator(_BRIDGE).count(), "who asked does not confirm"
    await other.at(DENIALS, stage.HOSTILE)
    await other.presses(f"{_BRIDGE}.primary", "Le pont porte.")
    await one.at(DENIALS)
    await one.sends("/unbridge", "Pont retiré.")


def _ran_out(desk: Operators) -> bytes:
    """Let a member's certificate be one that ran out yesterday; return it."""
    place = desk.place
    authority: Authority = place.authority
    old = authority.issue(f"mx.{_OLD}", starts=clock() - 30 * _DAY, days=29)
    place.lists.add(_OLD, old)
    return old.der


def _vouched(desk: Operators, der: bytes) -> None:
    """Let its authority have said that it was not revoked."""
    rooms, now = desk.place.chu.rooms, clock()
    known = rooms.watch._seen(der, (), "peer")
    assert known is not None
    known.again = now + _DAY
    fingerprint = Certificate.parse(der).fingerprint
    good = {fingerprint: Standing(State.GOOD, now, now + _DAY, Source.CRL)}
    overlay = rooms.keeper.overlay
    rooms.keeper.overlaid(replace(overlay, certificates=overlay.certificates.learned(good)))


async def mailboxes(one: Walker, other: Walker, folder: Path) -> None:
    """Made, described, shared, opened to somebody and shut; found by its name, closed for good."""
    del other, folder
    await stage.mailboxes(one.desk.place)
    await one.at(MAILBOXES, stage.HOSTILE)
    await one.sends("/add", address="partant@ailleurs.example", name=stage.HOSTILE)
    await one.sends("/add", "La boîte est créée.", stage.HOSTILE, address="partant@chu.example")
    at = one.page.url.partition("?")[0]
    for verb, said, fields in _ONE:
        form = one.page.locator(f"form[action$='/{verb}']")
        await one.fills(form, **fields)
        await one.presses(form.locator("button"), *said)
        if verb in {"invite", "password"}:
            shown = await one.secret()
            await one.at(at)
            assert shown not in await one.page.inner_text("main")
    await one.at(MAILBOXES)
    await one.presses("a[href$='status=closed']", "partant@chu.example")
    await one.sends(MAILBOXES, "Aucune", q="Durand")


_ONE: tuple[tuple[str, tuple[str, ...], dict[str, str | bool]], ...] = (
    (
        "describe",
        ("Enregistré.", stage.HOSTILE, "rpps:10003456786"),
        {"name": stage.HOSTILE, "holder": "rpps:10003456786", "hidden": True},
    ),
    ("share", (), {"person": "nobody@chu.example"}),
    (
        "share",
        ("Partagée.", "Agnès Durand"),
        {"person": "dr.durand@chu.example", "rights": "reader"},
    ),
    ("unshare", ("Retiré", "Son titulaire seul."), {}),
    ("invite", ("/account/invitation",), {}),
    ("password", (), {"label": stage.HOSTILE, "days": "9"}),
    ("revoke", ("Révoqué", stage.HOSTILE), {}),
    ("suspend", ("Suspendue",), {}),
    ("resume", ("Rétablie.",), {}),
    ("close", (), {"address": "accueil@chu.example"}),
    (
        "close",
        ("Fermée pour toujours.", "accueil@chu.example"),
        {"address": "partant@chu.example", "successor": "accueil@chu.example"},
    ),
)
