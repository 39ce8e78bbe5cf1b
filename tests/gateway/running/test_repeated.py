"""Software that sends by SMTP until it is sure: each recipient has its mail once, if the house says so."""

from pathlib import Path

import pytest

from gateway.labs.offering import blocks
from smtp.address import parse
from smtp.envelope import Draft, Mail, Peer, Recipient
from tests.gateway.running.results import DR, LABO, MAIL, space
from tests.world.running import until


@pytest.mark.parametrize(("named", "most"), [(LABO, 1), (DR, 2)])
async def test_a_mailbox_that_is_named_is_known_again(
    tmp_path: Path, named: str, most: int
) -> None:
    """By its certificate's door as by any; others may send the same letter twice."""
    async with space(tmp_path, f'\n[labs]\nonce = ["{named}"]\n') as labo:
        labo_, to = parse(LABO), (Recipient(parse(DR)),)
        peer = Peer("127.0.0.1", login=labo_, listener="submission_certificate")
        intake = labo.chu.gateway._doors.intake
        said = [await intake.accept(Draft(peer, Mail(labo_), to), blocks(MAIL)) for _ in range(2)]

        async def arrived() -> int:
            return len(await labo.chu.inbox(DR))

        await until(arrived, expected=most)
    assert [250, 250] == [each.code for each in said]
    assert (1 == most) is said[1].text.startswith("Accepted before, reference")
