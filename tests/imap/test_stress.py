"""Several clients of one mailbox at once, each of which checks all that it is told."""

import asyncio
import secrets
from random import Random  # noqa: TID251 - a run can be told again by its seed

import pytest

from imap.rules import Rules
from tests.imap.stage import HOST, LETTERS, Scene, opened
from tests.imap.stress import Client
from tests.smtp.stage import Pki
from tests.world.rest import Rest

IMAP = Rules.of("imap", HOST, max_size=1 << 20)
_CLIENTS = 6


async def test_clients_that_change_a_folder_at_once_agree(
    pki: Pki, rest: Rest, pytestconfig: pytest.Config
) -> None:
    """Numbers, UIDs, flags and sequences stay what IMAP promises; at the end all see the same."""
    seed = secrets.randbits(32)
    scene = await Scene.make(rest)
    await scene.mailboxes.create(1, "Sub")
    await scene.deliver(*LETTERS)
    async with opened(IMAP, pki, scene) as at:
        recent: dict[int, Client] = {}
        clients = [Client(pki, at.port, Random(seed + n), recent) for n in range(_CLIENTS)]
        end = asyncio.get_running_loop().time() + float(pytestconfig.getoption("--stress"))
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.live(lambda: asyncio.get_running_loop().time() > end))
        for _ in range(2):  # what one STORE marks in passing the next hears of
            for client in clients:
                await client.tell("NOOP")
        for client in clients:
            await client.settle()
            await client.wire.close()
        same = {
            tuple((each.uid, each.flags, each.modseq) for each in client.messages)
            for client in clients
        }
    assert 1 == len(same), f"they disagree; seed {seed}"
    assert [] == [event for event, _ in scene.notes if event == "session.error"]
    done: dict[str, int] = {}
    for client in clients:
        for command, times in client.done.items():
            done[command] = done.get(command, 0) + times
    print(f"seed {seed}: {dict(sorted(done.items()))}")
