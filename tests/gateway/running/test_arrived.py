"""A program fetches what arrived for its mailbox by HTTPS, and says what it made of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.documents import packing, xdm
from smtp.address import parse
from tests.gateway.documents.made import parcel
from tests.gateway.running.results import DR, LABO, RAW, Space, space
from tests.world.running import until
from tests.world.world import letter, pieces

READ = {"read": "false"}


@asynccontextmanager
async def program(folder: Path) -> AsyncIterator[Space]:
    """Give a token for reading the mailbox DR to the client; the laboratory's stays in ``token``."""
    async with space(folder) as labo:
        made = await labo.chu.ask("token.add", address=DR, scopes=["read"])
        labo.client.headers["Authorization"] = f"Bearer {made['token']}"
        yield labo


async def sent(labo: Space, content: bytes) -> None:
    """Hand a mail in as the laboratory, and let it arrive."""
    own = {"Authorization": f"Bearer {labo.token}"}
    before = len(await listed(labo))
    answer = await labo.client.post("/v1/messages", content=content, headers=RAW | own)
    assert 201 == answer.status_code, answer.text

    async def there() -> bool:
        return len(await listed(labo)) > before

    await until(there, expected=True)


async def listed(labo: Space, **asked: str) -> list[dict[str, Any]]:
    answer = await labo.client.get("/v1/arrived", params=asked)
    assert 200 == answer.status_code, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


def document() -> bytes:
    sender = parse(LABO)
    made = parcel(
        sender=sender, recipients=(parse(DR),), message_id="<1@chu.example>", answers=sender
    )
    return packing.pack(made, xdm.Sender("Labo", sender))


async def test_a_message_is_listed_fetched_and_marked(tmp_path: Path) -> None:
    """Whole or from where a broken line left off; what was read is not listed as unread."""
    async with program(tmp_path) as labo:
        await sent(labo, letter(LABO, [DR]))
        (one,) = await listed(labo, **READ)
        assert ("Compte rendu", "<1@test.example>", False) == (
            one["subject"],
            one["message_id"],
            one["read"],
        )
        where = f"/v1/arrived/{one['id']}"
        whole = await labo.client.get(where)
        assert (200, "message/rfc822") == (whole.status_code, whole.headers["content-type"])
        assert whole.content.endswith(letter(LABO, [DR]))
        assert one["size"] == len(whole.content)
        rest = await labo.client.get(where, headers={"Range": "bytes=100-"})
        assert (206, whole.content[100:]) == (rest.status_code, rest.content)
        beyond = await labo.client.get(where, headers={"Range": "bytes=100000-"})
        assert 416 == beyond.status_code

        assert 204 == (await labo.client.put(f"{where}/read")).status_code
        assert [] == await listed(labo, **READ)
        assert [one | {"read": True}] == await listed(labo, read="true")
        assert [] == await listed(labo, after=one["id"])


async def test_what_the_program_makes_of_it_reaches_the_sender(tmp_path: Path) -> None:
    """By number; said again, it is told once."""
    async with program(tmp_path) as labo:
        await sent(labo, document())
        (one,) = await listed(labo)
        where = f"/v1/arrived/{one['id']}/answer"
        for _ in range(2):
            said = await labo.client.put(where, json={"application": "failed", "failure": 902})
            assert 204 == said.status_code
        labo.client.headers["Authorization"] = f"Bearer {labo.token}"
        standing = await labo.standing(one["message"])
        (there,) = standing["recipients"]
        assert ("failed", 902) == (there["application"], there["failure"])
        told = [row.kind for row in await labo.chu.rooms.outbox.about(one["message"])]
        assert 1 == told.count("application.failed")


REFUSED: list[tuple[str, str, bytes | None, int]] = [
    ("GET", "/v1/arrived/77", None, 404),
    ("GET", "/v1/arrived/x", None, 404),
    ("GET", "/v1/arrived?read=maybe", None, 400),
    ("GET", "/v1/arrived?after=-1", None, 400),
    ("PUT", "/v1/arrived/1/answer", b"{", 400),
    ("PUT", "/v1/arrived/1/answer", b'{"application": "failed", "failure": 7}', 400),
    ("PUT", "/v1/arrived/1/answer", b'{"application": "filed"}', 404),
    ("PUT", "/v1/arrived/77/read", None, 404),
]


async def test_what_is_not_there_or_not_meant(tmp_path: Path) -> None:
    """Says so, with the usual problem; what was filed by hand is answered to nobody."""
    async with program(tmp_path) as labo:
        store, mailbox = labo.chu.rooms.mailboxes, labo.chu.rooms.accounts.find(parse(DR))
        assert mailbox is not None
        folder = store.find(mailbox.id, "INBOX")
        assert folder is not None
        batch, content = store.batch(folder.id), letter(LABO, [DR])
        await batch.add([], None, pieces([content]), len(content))
        await batch.commit()
        for method, path, body, status in REFUSED:
            answer = await labo.client.request(method, path, content=body)
            assert (status, "application/problem+json") == (
                answer.status_code,
                answer.headers["content-type"],
            ), path
        own = {"Authorization": f"Bearer {labo.token}"}
        for path in ("/v1/arrived", "/v1/arrived/events"):
            assert 403 == (await labo.client.get(path, headers=own)).status_code
