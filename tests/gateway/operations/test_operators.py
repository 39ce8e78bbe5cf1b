"""The verbs of ``sceau operator``: who comes in, as what, and that somebody stays."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.accounts.factors import Kind
from gateway.accounts.operators import Role
from gateway.demo.pki import Authority
from gateway.operations import operators
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from tests.gateway.operations.conftest import Ask


async def test_somebody_new_is_invited(ask: Ask, rooms: Rooms) -> None:
    """A viewer, unless it is said; once more the code is another one; a link goes to the console."""
    first = await ask("operator.invite", name="anne")
    again = await ask("operator.invite", name="anne", role="viewer")
    (row,) = await ask("operator.list")
    assert ("made", "viewer", False) == (first["status"], first["role"], first["replaces"])
    assert rooms.summons.of(first["code"]) is None
    assert rooms.summons.of(again["code"]) is not None
    assert rooms.invitations.of(again["code"]) is None
    assert again["link"].endswith(f"/console/invitation?code={again['code']}")
    assert ([], [], None, True) == tuple(
        row[name] for name in ("factors", "certificates", "used", "active")
    )


async def test_who_has_factors_takes_two_to_invite(ask: Ask, rooms: Rooms) -> None:
    """Or whoever types a command could be anybody."""
    await ask("operator.invite", name="anne")
    await _comes(rooms, "anne")
    alone = await ask("operator.invite", name="anne")
    other = await operators.invite(replace(rooms, actor="operator:paul"), name="anne")
    assert ("waiting", None) == (alone["status"], alone["code"])
    assert isinstance(other, dict)
    assert ("made", True) == (other["status"], other["replaces"])


async def _comes(rooms: Rooms, name: str) -> None:
    """Let an operator have something to come in by."""
    operator = rooms.operators.find(name)
    assert operator is not None
    await rooms.database.commit(rooms.factors.adding(operator, Kind.TOTP, "A" * 32)[1])


async def test_where_two_are_there_nobody_makes_a_second_self(
    ask: Ask, rooms: Rooms, authority: Authority
) -> None:
    """Neither a new operator with a say, nor a role, nor a certificate of somebody else's."""
    issued = authority.issue("faux")
    octets = base64.b64encode(issued.certificate.public_bytes(Encoding.PEM)).decode()
    for name in ("anne", "paul"):
        assert "made" == (await ask("operator.invite", name=name, role="administrator"))["status"]
        await _comes(rooms, name)
    await ask("operator.invite", name="vera")
    alone = [
        await ask("operator.invite", name="double", role="reviewer"),
        await ask("operator.role", name="vera", role="administrator"),
        await ask("operator.certificate", name="paul", octets=octets),
        await ask("operator.certificate", name="vera", octets=octets),
    ]
    assert ["waiting"] * 3 + ["done"] == [each["status"] for each in alone]
    assert {"anne", "paul", "vera"} == {row["name"] for row in await ask("operator.list")}
    await ask("operator.suspend", name="paul")
    await _comes(rooms, "vera")
    paul = replace(rooms, actor="operator:paul")
    done = await operators.role(paul, name="vera", role="administrator")
    assert isinstance(done, dict)
    assert ("done", "administrator") == (done["status"], done["role"])
    assert "waiting" == (await ask("operator.resume", name="paul"))["status"]
    assert "waiting" == (await ask("operator.role", name="vera", role="viewer"))["status"]


async def test_nobody_is_alone_by_letting_the_other_go(ask: Ask, rooms: Rooms) -> None:
    """Letting go takes one, for it may be urgent; what follows still takes two."""
    for name in ("anne", "paul"):
        await ask("operator.invite", name=name, role="administrator")
        await _comes(rooms, name)
    await ask("operator.suspend", name="paul")
    made = await ask("operator.invite", name="double", role="administrator")
    assert "waiting" == made["status"]


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("invite", {"name": "Anne!"}, "no operator's name"),
        ("invite", {"name": "x", "role": "king"}, "no role king"),
        ("invite", {"name": "root", "role": "viewer"}, "has the role administrator"),
        ("invite", {"name": "gone"}, "was let go"),
        ("role", {"name": "nobody", "role": "viewer"}, "no operator nobody"),
        ("role", {"name": "root", "role": "viewer"}, "last administrator"),
        ("suspend", {"name": "root"}, "last administrator"),
        ("certificate", {"name": "root", "octets": "AAAA"}, "no certificate"),
    ],
)
async def test_what_cannot_be_done_is_said(
    ask: Ask, verb: str, arguments: dict[str, str], words: str
) -> None:
    """With what to do instead; and nothing is done."""
    await ask("operator.invite", name="root", role="administrator")
    await ask("operator.invite", name="gone")
    await ask("operator.suspend", name="gone")
    with pytest.raises(OperationError, match=words) as error:
        await ask(f"operator.{verb}", **arguments)
    assert error.value.hint
    rows = {row["name"]: (row["role"], row["active"]) for row in await ask("operator.list")}
    assert {"root": ("administrator", True), "gone": ("viewer", False)} == rows


async def test_an_administrator_goes_when_there_is_another(ask: Ask) -> None:
    """And comes back."""
    await ask("operator.invite", name="anne", role="administrator")
    await ask("operator.invite", name="paul")
    await ask("operator.role", name="paul", role="administrator")
    assert not (await ask("operator.suspend", name="anne"))["active"]
    assert (await ask("operator.resume", name="anne"))["active"]


async def test_a_certificate_is_one_persons(ask: Ask, rooms: Rooms, authority: Authority) -> None:
    """Named, not named to another, taken away."""
    issued = authority.issue("anne")
    octets = base64.b64encode(issued.certificate.public_bytes(Encoding.PEM)).decode()
    await ask("operator.invite", name="anne")
    await ask("operator.invite", name="paul")
    (mark,) = (await ask("operator.certificate", name="anne", octets=octets))["certificates"]
    found = rooms.operators.with_certificate(mark)
    assert found is not None
    assert "anne" == found.name
    with pytest.raises(OperationError, match="anne's"):
        await ask("operator.certificate", name="paul", octets=octets)
    gone = await ask("operator.certificate", name="anne", octets=octets, remove=True)
    assert [] == gone["certificates"]


async def test_the_link_is_where_browsers_find_the_console(rooms: Rooms) -> None:
    """As the settings say, or else the host and the port."""
    settings = rooms.settings
    named = settings.model_copy(
        update={"console": settings.console.model_copy(update={"origin": "https://x.example"})}
    )
    assert "https://x.example" == operators.origin(replace(rooms, settings=named))
    assert f"https://{settings.site.host}" == operators.origin(rooms)
    assert Role.VIEWER == Role("viewer")
