"""The status pages answer monitors, in our own loop."""

import asyncio

from gateway.observe.metrics import Metrics
from gateway.web.door import WebDoor
from gateway.web.status import pages


async def _get(port: int, path: str) -> tuple[str, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return head.split()[1], body


async def test_the_three_pages() -> None:
    """Alive is not ready: a gateway without a list runs, and says what it lacks."""
    problems = {"list": "no trust list is in force"}
    door = WebDoor("status", pages(Metrics(), lambda: problems))
    port = door.open("127.0.0.1", 0)
    healthy = await _get(port, "/healthz")
    unready = await _get(port, "/readyz")
    problems = {}
    ready = await _get(port, "/readyz")
    status, body = await _get(port, "/metrics")
    await door.stop()

    assert ("200", '{"ok":true}') == healthy
    expected = '{"ok":false,"problems":{"list":"no trust list is in force"}}'
    assert ("503", expected) == unready
    assert ("200", '{"ok":true,"problems":{}}') == ready
    assert "200" == status
    assert "sceau_outbox_unsent 0.0" in body
