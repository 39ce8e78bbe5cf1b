"""Invitations: for one person, for a day, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts.invitations import Invitations
from gateway.accounts.mailboxes import Mailbox, Status
from tests.gateway.accounts.test_factors import Scene
from tests.world.clock import Clock
from tests.world.rest import Rest, stored
from vault.errors import Conflict


@pytest.fixture
def scene(rest: Rest) -> Scene:
    return Scene(rest)


@pytest.fixture
def invitations(scene: Scene) -> Invitations[Mailbox]:
    return Invitations(scene.rest.database, scene.rest.ring, scene.accounts.by_key, scene.clock)


async def test_it_is_good_once(scene: Scene, invitations: Invitations[Mailbox]) -> None:
    """However it is typed; the code lies nowhere."""
    mailbox = await scene.mailbox()
    code, until = await invitations.make(mailbox, replaces=True)
    found = invitations.of(f" {code.upper()} ")
    assert found is not None
    assert (mailbox, until, True) == (found.owner, found.until, found.replaces)
    await scene.rest.commit([invitations.taking(found)])
    assert invitations.of(code) is None
    with pytest.raises(Conflict):
        await scene.rest.commit([invitations.taking(found)])
    assert code.replace("-", "").encode() not in stored(scene.rest.database.path.parent)


async def test_it_ends(scene: Scene, invitations: Invitations[Mailbox]) -> None:
    """After a day, when another is made, when the mailbox is closed."""
    mailbox = await scene.mailbox()
    first, _ = await invitations.make(mailbox, replaces=False)
    second, _ = await invitations.make(mailbox, replaces=False)
    assert invitations.of(first) is None
    assert invitations.of(second) is not None
    scene.clock.advance(hours=24)
    assert invitations.of(second) is None
    third, _ = await invitations.make(mailbox, replaces=False)
    await scene.accounts.set_status(mailbox, Status.SUSPENDED)
    assert invitations.of(third) is None


async def test_it_is_bound_to_its_person(scene: Scene, invitations: Invitations[Mailbox]) -> None:
    """Who writes to the database invites nobody."""
    mailbox, victim = await scene.mailbox(), await scene.mailbox("x@chu.example")
    code, _ = await invitations.make(mailbox, replaces=True)
    scene.rest.database._writer.connection.execute("UPDATE invitation SET owner = ?", (victim.key,))
    assert invitations.of(code) is None


@given(st.text())
def test_any_text_is_no_invitation(text: str) -> None:
    """And no error: nothing is looked up for what has not the shape of a code."""
    nothing: Invitations[Mailbox] = Invitations(None, None, None, Clock())  # type: ignore[arg-type]
    if len("".join(text.split()).replace("-", "")) != 24:
        assert nothing.of(text) is None
