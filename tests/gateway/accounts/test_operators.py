"""Operators: kept sealed, named for ever, let go at once."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.accounts.mailboxes import AccountError
from gateway.accounts.operators import Operators, Role
from tests.world.clock import START, Clock
from tests.world.rest import Rest, stored


class Scene:
    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.told: list[str] = []
        self.operators = Operators(rest.database, rest.ring, Clock(), self.tell)

    def tell(self, event: str, facts: Mapping[str, object]) -> None:
        self.told.append(event)


@pytest.fixture
def scene(rest: Rest) -> Scene:
    return Scene(rest)


async def test_one_is_found_by_name_and_key(scene: Scene) -> None:
    """However the name is typed; as what they are, and since when."""
    made = await scene.operators.add("anne.moreau", Role.REVIEWER)
    assert made == scene.operators.find(" Anne.Moreau ") == scene.operators.by_key(made.key)
    assert (Role.REVIEWER, START, True) == (made.role, made.created, made.sends)
    assert ("anne.moreau", "operator:anne.moreau") == (made.login, made.actor)
    assert [made] == scene.operators.all()
    assert scene.operators.find("x") is None


@pytest.mark.parametrize("name", ["", "Anne", "9a", "a b", "a@b", "a" * 33, "été", "a\n"])
async def test_a_name_is_plain(scene: Scene, name: str) -> None:
    """It stands in the journal, and is typed."""
    with pytest.raises(AccountError):
        await scene.operators.add(name, Role.VIEWER)


async def test_a_name_stays_somebodys(scene: Scene) -> None:
    """Nobody becomes who somebody else was."""
    made = await scene.operators.add("anne", Role.VIEWER)
    await scene.operators.change(made, active=False)
    with pytest.raises(AccountError):
        await scene.operators.add("anne", Role.ADMINISTRATOR)


async def test_what_changes_is_kept(scene: Scene) -> None:
    """The role, the standing, the certificates; a certificate opens to one active operator."""
    made = await scene.operators.add("anne", Role.VIEWER)
    marked = await scene.operators.change(made, role=Role.LISTS, certificates=frozenset({"ab"}))
    assert replace(made, role=Role.LISTS, certificates=frozenset({"ab"})) == marked
    assert marked == scene.operators.find("anne") == scene.operators.with_certificate("ab")
    assert scene.operators.with_certificate("cd") is None
    gone = await scene.operators.change(marked, active=False)
    assert not gone.sends
    assert scene.operators.with_certificate("ab") is None


async def test_who_writes_to_the_database_makes_nobody_an_operator(scene: Scene) -> None:
    """A row is bound to its key and its name; it opens nothing, and is told of."""
    await scene.operators.add("anne", Role.ADMINISTRATOR)
    await scene.operators.add("paul", Role.VIEWER)
    write = scene.rest.database._writer.connection.execute
    write("UPDATE operator SET facts = (SELECT facts FROM operator WHERE name = 'anne')")
    assert scene.operators.find("paul") is None
    write("UPDATE operator SET name = 'eve' WHERE name = 'anne'")
    assert scene.operators.find("eve") is None
    assert [] == scene.operators.all()
    assert {"operator.tampered"} == set(scene.told)


async def test_a_role_is_not_readable_at_rest(scene: Scene) -> None:
    """Who steals the disk does not learn whose telephone to steal next."""
    await scene.operators.add("anne", Role.ADMINISTRATOR)
    assert b"administrator" not in stored(scene.rest.database.path.parent)
