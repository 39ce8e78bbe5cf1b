"""What an operator reads who notes what a patient wants."""

from pathlib import Path

from gateway.documents import ins
from tests.gateway.test_cli_words import Operator

NUMBER = "1850175075001"
WHOLE = f"{NUMBER}{ins.key(NUMBER)}"


def test_an_objection_from_first_to_last(tmp_path: Path) -> None:
    """Noted, shown, withdrawn."""
    operator = Operator(tmp_path)
    objects = f"{WHOLE}@patient.mssante.fr objects to being written to.\n"
    assert objects == operator.types("citizen", "oppose", WHOLE, "--reason", "courrier")
    seen = operator.types("citizen", "show", WHOLE)
    assert seen.startswith(objects)
    assert "courrier" in seen
    assert "No threads." in seen
    assert "does not object" in operator.types("citizen", "allow", WHOLE)
    listed = operator.types("citizen", "list")
    assert ("courrier" in listed, WHOLE in listed) == (True, False)
