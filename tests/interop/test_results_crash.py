"""kill -9 of a gateway to which results are handed in by HTTPS: each arrives once, whoever asks again."""

import json
import ssl
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

import httpx
import pytest

from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import arrived, eventually, message_id
from tests.interop.site import Federation

# An attempt that is cut off three times makes a case: here it is twice.
RESULTS, KILLS, AT_ONCE = 20, (3, 10), 4


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    with running_pair(federation, {**QUICK, "vault": {"inline_limit": 16 * 1024}}) as made:
        yield made


def test_killed_again_and_again_a_gateway_takes_each_result_once(pair: Pair) -> None:
    """An answer that never came is asked for again, under the same key, and is the same message."""
    lab, taken = pair.labo, Semaphore(0)
    token = lab.sceau("token", "add", pair.robot.address, "--scope", "submit")["token"]
    context = ssl.create_default_context(cafile=str(lab.federation.anchors))
    context.check_hostname = False

    def hand_in(number: int) -> str:
        """Offer a result until it is answered: what a laboratory's software does."""
        order = {"to": [pair.doctor.address], "document": ABOUT | {"id": str(number)}}
        files: dict[str, tuple[str | None, bytes | str, str]] = {
            "order": (None, json.dumps(order), "application/json"),
            "document": ("a.pdf", PDF + b"%" * (number % 3) * 30_000, "application/pdf"),
        }
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"cle-{number}"}
        url = f"https://127.0.0.1:{lab.ports['web']}/v1/messages"
        while True:
            try:
                answer = httpx.post(url, files=files, headers=headers, verify=context, timeout=20)
            except httpx.TransportError:
                continue
            if answer.is_success:
                taken.release()
                return str(answer.json()["message"])
            assert answer.status_code in {409, 503}, answer.text

    with ThreadPoolExecutor(AT_ONCE) as software:
        handed = [software.submit(hand_in, number) for number in range(RESULTS)]
        before = 0
        for kill in KILLS:
            for _ in range(kill - before):
                taken.acquire()
            before = kill
            lab.kill()
            lab.start()
        messages = [each.result(timeout=60) for each in handed]

    def there() -> Counter[str]:
        return Counter(message_id(each) for each in arrived(pair.hopital, pair.doctor.address))

    found = eventually(there, lambda found: len(found) == RESULTS, 60.0)

    assert RESULTS == len(set(messages))
    assert RESULTS == len(found)
    assert {1} == set(found.values())
    assert lab.sceau("journal", "verify")
