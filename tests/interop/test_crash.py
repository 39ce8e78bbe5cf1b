"""kill -9 of each gateway in mid-load: what had its 250 arrives, once, and is told of."""

import smtplib
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import arrived, compose, eventually, message_id, receipts, submission
from tests.interop.site import Federation, Site

LINES, MESSAGES, KILL_AFTER = 6, 240, 80


@dataclass(slots=True)
class Load:
    """Messages submitted on several connections at once; what happens to whom after how many."""

    pair: Pair
    name: str
    victim: Site
    politely: bool = False
    accepted: list[str] = field(default_factory=list)
    killed: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Send everything; whoever loses the connection gives up the rest of its share."""
        with ThreadPoolExecutor(LINES) as pool:
            for each in [pool.submit(self._line, number) for number in range(LINES)]:
                each.result()

    def _line(self, number: int) -> None:
        robot, doctor = self.pair.robot, self.pair.doctor
        try:
            with submission(self.pair.labo, robot) as line:
                for count in range(MESSAGES // LINES):
                    subject = f"{self.name} {number} {count}"
                    text = "Resultat\r\n" * (400 if count % 5 else 30_000)
                    content = compose(robot.address, doctor.address, subject, text)
                    line.sendmail(robot.address, [doctor.address], content)
                    self._took(message_id(content))
        except (OSError, smtplib.SMTPException):
            pass  # the cut

    def _took(self, message: str) -> None:
        with self.lock:
            self.accepted.append(message)
            if len(self.accepted) >= KILL_AFTER and not self.killed.is_set():
                self.killed.set()
                self.victim.stop() if self.politely else self.victim.kill()


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    with running_pair(federation, {**QUICK, "vault": {"inline_limit": 64 * 1024}}) as made:
        yield made


@pytest.mark.parametrize("victim", ["labo", "hopital"])
@pytest.mark.parametrize("politely", [False, True])
def test_ended_in_mid_load_a_gateway_keeps_every_promise(
    pair: Pair, victim: str, *, politely: bool
) -> None:
    """Every message that got its 250 is in its mailbox once, with its receipts, after a restart."""
    site = pair.labo if victim == "labo" else pair.hopital
    load = Load(pair, f"Panne de {victim} {politely}", site, politely)
    load.run()
    site.start()
    promised = set(load.accepted)
    there = eventually(
        lambda: Counter(message_id(m) for m in arrived(pair.hopital, pair.doctor.address)),
        lambda seen: promised <= set(seen),
        60.0,
    )
    told = eventually(
        lambda: _kinds(pair, promised),
        lambda seen: all("delivered" in seen[message] for message in promised),
        60.0,
    )

    assert load.killed.is_set()
    assert set() == promised - set(there)
    # A transfer id goes with each attempt, so the hospital recognises what it has already.
    assert {} == {message: count for message, count in there.items() if count > 1}
    assert {("accepted", "relayed", "delivered")} == {tuple(told[m]) for m in promised}
    assert pair.labo.sceau("journal", "verify")
    assert pair.hopital.sceau("journal", "verify")


def _kinds(pair: Pair, messages: set[str]) -> dict[str, list[str]]:
    """Return the kinds of receipt of each message, each kind once, in order."""
    found: dict[str, list[str]] = {message: [] for message in messages}
    for row in receipts(pair.labo, pair.robot):
        kinds = found.get(row["subject"], [])
        if row["type"] not in kinds:
            kinds.append(row["type"])
    return found
