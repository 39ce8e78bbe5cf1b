"""kill -9 of both gateways while a large document crosses: it arrives once, whole."""

import hashlib
import ssl
from collections.abc import Iterator
from functools import partial
from operator import lt

import httpx
import pytest

from tests.bench.large import letter
from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import arrived, eventually
from tests.interop.site import Federation

SIZE, PIECE = 12_000_000, 128 * 1024


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    settings = {
        **QUICK,
        "listen.relay": {"max_size": 1_000_000},
        "large": {"piece": PIECE},
    }
    with running_pair(federation, settings) as made:
        yield made


def test_killed_in_the_middle_a_fetch_goes_on_where_it_was(pair: Pair) -> None:
    """What came before a power cut, on either side, need not come again; nothing is there twice."""
    content = b"".join(letter(pair.robot.address, pair.doctor.address, SIZE))
    token = pair.labo.sceau("token", "add", pair.robot.address, "--scope", "submit")["token"]
    context = ssl.create_default_context(cafile=str(pair.federation.anchors))
    context.check_hostname = False
    answer = httpx.post(
        f"https://127.0.0.1:{pair.labo.ports['web']}/v1/messages",
        content=content,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"},
        verify=context,
        timeout=60,
    )
    assert answer.is_success, answer.text

    before = 0
    for site in (pair.hopital, pair.labo):
        before = eventually(lambda: _here(pair), partial(lt, before), 60.0)
        site.kill()
        site.start()
        assert before <= _here(pair)

    (found,) = eventually(
        lambda: arrived(pair.hopital, pair.doctor.address), lambda found: len(found) > 0, 90.0
    )
    digest = hashlib.sha256(found[found.index(b"From: ") :]).hexdigest()
    assert hashlib.sha256(content).hexdigest() == digest
    eventually(
        lambda: {row["state"] for row in pair.labo.sceau("spool", "list", "--all")},
        lambda states: states == {"delivered"},
        60.0,
    )
    assert [] == pair.hopital.sceau("large", "list")["fetching"]


def _here(pair: Pair) -> int:
    """Return how many octets of it are here; all of them, once it is filed."""
    fetching = pair.hopital.sceau("large", "list")["fetching"]
    if fetching:
        return int(fetching[0]["here"])
    states = {row["state"] for row in pair.hopital.sceau("spool", "list", "--all")}
    return SIZE if states and "fetching" not in states else 0
