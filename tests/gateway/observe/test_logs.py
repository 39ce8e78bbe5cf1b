"""Log lines carry ids, never content (R-G6, R-I1)."""

import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe.logs import SAFE, WITHHELD, Libraries, adopt_libraries, mask, open_log, redact


def _told(**values: Any) -> dict[str, Any]:
    stream = io.StringIO()
    open_log(stream).info("message.accepted", **values)
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_a_line_is_one_json_object_with_time_level_and_event() -> None:
    """Machines read the log line by line."""
    line = _told(message="01J", size=12)

    at = datetime.fromisoformat(line.pop("at"))
    assert {"event": "message.accepted", "level": "info", "message": "01J", "size": 12} == line
    assert UTC.utcoffset(None) == at.utcoffset()


def test_an_unknown_key_is_withheld() -> None:
    """A careless call costs a word in the log and not a secret."""
    assert WITHHELD == _told(subject="Résultats de M. Canari")["subject"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rcpt <dr.canari@chu.example> refused", "rcpt <…@chu.example> refused"),
        ("279086712345678@patient.mssante.fr", "…@patient.mssante.fr"),
        ("a@b.example,c@d.example", "…@b.example,…@d.example"),
        ('550 <"dr.canari"@chu.example>', "550 <…@chu.example>"),
        ('"dr \\" canari"@chu.example', "…@chu.example"),
        ("x" * 490 + " 279086712345678@patient.mssante.fr", "x" * 490 + " …@patient"),
        ("a@b.example " * 83 + "279086712@b.example", ("…@b.example " * 42)[:500]),
        ("two\nlines", "two lines"),
        ("no address", "no address"),
        ("x" * 600, "x" * 500),
        (f"{'x' * 997} 2790867", "x" * 500),
        ("2790867" * 200, "…"),
    ],
)
def test_an_address_is_masked_but_for_its_domain(text: str, expected: str) -> None:
    """A local part may be a name or a national number."""
    assert expected == mask(text)


def test_masking_reaches_into_lists_and_mappings() -> None:
    """No depth of a value escapes redaction."""
    line = _told(ports={"a@b.example": 25}, where=["c@d.example", None, 1.5, True])

    assert {"…@b.example": 25} == line["ports"]
    assert ["…@d.example", None, 1.5, True] == line["where"]


def test_a_time_is_told_in_iso_form() -> None:
    """Times are read by machines too."""
    assert "2026-01-02T00:00:00+00:00" == _told(until=datetime(2026, 1, 2, tzinfo=UTC))["until"]


@given(st.dictionaries(st.text(), st.text()))
def test_only_known_keys_keep_their_value(event: dict[str, str]) -> None:
    """The list of what may pass is closed."""
    kept = redact(None, "info", dict(event))

    assert {WITHHELD} >= {value for key, value in kept.items() if key not in SAFE}


@given(st.text(alphabet="ab@.< \n", max_size=40))
def test_no_local_part_survives_masking(text: str) -> None:
    """Whatever stands before an @ and looks like a local part is gone."""
    masked = mask(text)

    assert masked == mask(masked)
    assert not any(
        c in "ab." and masked[i + 1 : i + 2] == "@" and masked[i + 2 : i + 3] in {"a", "b", "."}
        for i, c in enumerate(masked)
    )


@pytest.mark.parametrize("form", ["true", "error", "tuple"])
def test_an_exception_tells_its_type_and_place_never_its_text(form: str) -> None:
    """Error texts quote what they choked on."""
    stream = io.StringIO()
    try:
        raise ValueError("canary in the text")
    except ValueError as error:
        given_as: Any = {
            "true": True,
            "error": error,
            "tuple": (ValueError, error, error.__traceback__),
        }[form]
        open_log(stream).error("loop.crashed", loop="courier", exc_info=given_as)

    line = json.loads(stream.getvalue())
    assert "ValueError" == line["error"]
    assert "observe/test_logs.py" in line["where"][-1]
    assert "canary" not in stream.getvalue()


def test_plain_lines_are_redacted_too() -> None:
    """The form of the log is a matter of taste, its content is not."""
    stream = io.StringIO()
    open_log(stream, json_lines=False).warning("login.failed", who="x", domain="a@b.example")

    assert stream.getvalue().endswith(" warning login.failed who=[withheld] domain=…@b.example\n")


def test_lines_below_the_level_are_not_written() -> None:
    """The operator chooses how much is told."""
    stream = io.StringIO()
    open_log(stream, "warning").info("message.accepted")

    assert "" == stream.getvalue()


def test_a_library_tells_its_template_only() -> None:
    """A library's arguments may hold anything."""
    stream = io.StringIO()
    logger = logging.Logger("lib")  # noqa: LOG001 - one of its own, so that no other test sees it
    logger.addHandler(Libraries(open_log(stream)))
    logger.error("cannot read %s", "canary")
    logger.warning("canary formatted in")
    logger.info("canary, too low")
    try:
        raise OSError("canary")
    except OSError:
        logger.exception("failed at %s", "canary")

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert ["cannot read %s", WITHHELD, "failed at %s"] == [line["template"] for line in lines]
    assert ["error", "warning", "error"] == [line["level"] for line in lines]
    assert "OSError" == lines[2]["error"]
    assert "canary" not in stream.getvalue()


def test_libraries_speak_through_our_log_alone() -> None:
    """No library keeps a way of its own to the terminal."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    try:
        adopt_libraries(open_log(io.StringIO()))
        kinds = [type(handler) for handler in root.handlers]
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = before, level

    assert [Libraries] == kinds
