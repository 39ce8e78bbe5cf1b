"""Messages whose copies are held, as the relay's floor writes them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from quarantine.case import Case, Held
from quarantine.policy import Finding
from quarantine.register import Register
from quarantine.review import Review
from tests.world.clock import START
from tests.world.rest import Rest
from vault.database import Statement

HOUR = timedelta(hours=1)
MACROS = (Finding("macros", "DUPONT.docm"), Finding("executable", "a.zip/b.exe"))


async def message(rest: Rest, name: str, copies: int = 3) -> None:
    """Put a message with held deliveries into the spool."""
    await rest.commit(
        [
            Statement(
                "INSERT INTO message VALUES (?, 'R', 0, 1, 'relay', 'labo.example',"
                " NULL, NULL, NULL, X'00')",
                (name,),
            ),
            *(
                Statement(
                    "INSERT INTO delivery (id, message, domain, recipient, facts, state, expires,"
                    " changed) VALUES (?, ?, 'chu.example', X'00', X'00', 'held', 0, 0)",
                    (f"{name}.{n}", name),
                )
                for n in range(1, copies + 1)
            ),
        ]
    )


@pytest.fixture
async def review(rest: Rest) -> Review:
    await message(rest, "M")
    return Review(rest.database, Register(rest.database, rest.ring), timedelta(days=30))


async def hold(
    rest: Rest,
    review: Review,
    delivery: str = "M.1",
    found: Sequence[Finding] = MACROS,
    hours: int = 0,
) -> Case:
    """Hold one copy; return its case."""
    reasons = tuple(one.reason for one in found)
    await rest.commit(review.opening(delivery, reasons, START + hours * HOUR, found))
    case = review.register.of_delivery(delivery)
    assert case is not None
    return case


def moved(copies: Sequence[Held], state: str) -> list[Statement]:
    """Return what a decision means for the deliveries."""
    return [
        Statement(
            "UPDATE delivery SET state = ? WHERE id = ? AND state = 'held'",
            (state, one.delivery),
            expect=1,
        )
        for one in copies
    ]
