"""``sceau operator``, as it is read at a terminal."""

from pathlib import Path

import pytest

from gateway.demo.pki import Authority
from tests.gateway.test_cli_words import Operator
from tests.world.clock import START


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_from_invited_to_let_go(operator: Operator) -> None:
    """Each step says what is so now; what takes two says so."""
    crt, _ = Authority.make(START).issue("anne").write(operator.folder, "anne")
    assert "There are none" in operator.types("operator", "list")
    shown = operator.types("operator", "invite", "anne", "--role", "administrator")
    assert ["Operator", "anne,", "administrator", "Code"] == shown.split()[:4]
    assert "/console/invitation?code=" in shown
    operator.types("operator", "invite", "paul")
    assert "paul: reviewer, 0 certificates" in operator.types(
        "operator", "role", "paul", "reviewer"
    )
    assert "anne: administrator, 1 certificate\n" in operator.types(
        "operator", "certificate", "anne", crt
    )
    assert "This takes two." in operator.types("operator", "invite", "anne")
    assert "anne: administrator, 0 certificates" in operator.types(
        "operator", "certificate", "anne", crt, "--remove"
    )
    assert "paul: let go, 0 certificates" in operator.types("operator", "suspend", "paul")
    assert "paul: reviewer" in operator.types("operator", "resume", "paul")
    assert "administrator" in operator.types("operator", "list")
