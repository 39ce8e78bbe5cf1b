"""The generator and the sink against each other: what one sends, the other counts."""

from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from msgspec import structs

from tests.bench import cell, systems


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[systems.Ground]:
    with systems.ground(tmp_path / "ground") as made:
        yield made


@pytest.mark.parametrize("size", [5 << 10, 1 << 20])
def test_what_was_accepted_is_what_arrived(ground: systems.Ground, size: int) -> None:
    """Messages and octets agree between both ends of the harness."""
    with systems.Null.running(ground) as null:
        sent = cell.load(structs.replace(null.load(size), seconds=0.2, connections=3))
        tally = null.sink.wait(sent.accepted, 5)

    assert (sent.accepted, 0) == (tally.messages, sent.refused)
    assert sent.octets == tally.octets - sent.accepted * len(b".\r\n")
    assert sent.accepted == len(sent.waits)


def test_without_a_certificate_nothing_gets_in(ground: systems.Ground) -> None:
    """The sink is a peer that asks for a certificate: a system that shows none is not measured."""
    with systems.Null.running(ground) as null:
        bare = structs.replace(null.load(100), certificate="", seconds=0.1)
        with pytest.raises(CalledProcessError):
            cell.load(bare)

        assert 0 == null.sink.reset().messages


def test_what_does_not_arrive_is_no_figure(
    ground: systems.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system that loses messages gets an error instead of a rate."""
    monkeypatch.setattr(cell, "DRAIN", 0.1)
    with (
        systems.Null.running(ground) as null,
        pytest.raises(cell.CellError, match="0 arrived"),
    ):
        cell.measure(null, structs.replace(null.load(100), most=5), ground.sink)
