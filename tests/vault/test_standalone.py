"""The verifier that stands alone: whatever was done to an export, or before it, is found."""

import ast
import base64
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import parse
from vault import standalone
from vault.database import Database
from vault.errors import VaultError
from vault.exporting import Exporting
from vault.forgetting import Forgetting, Kept
from vault.journal import Journal
from vault.keys import KeyRing
from vault.standalone import Problem

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DOCTOR, PATIENT = parse("dr@chu.example"), parse("1790335121518@patient.example")

Lines = list[dict[str, Any]]


async def export(
    database: Database, journal: Journal, ring: KeyRing, head: Path, after: int = 0
) -> Lines:
    made = Exporting(database, journal, head, ring.public_key)
    begin = made.begins(after)
    return [begin, *await made.rows(begin["after"], 1000), made.ends()]


def check(lines: Lines, ring: KeyRing, *heads: str, part: bool = False) -> dict[str, int]:
    texts = [json.dumps(line) for line in lines]
    return standalone.check(texts, ring.public_key, heads, part=part)


@pytest.fixture
async def lines(database: Database, journal: Journal, ring: KeyRing, tmp_path: Path) -> Lines:
    """Nine rows, of which two were purged and one was erased; three days, then today."""
    for n in range(1, 7):
        at = NOW - DAY * (6 - n) / 2
        entry = journal.entry(at, "é.sent", "gateway", message=f"M{n}", who=DOCTOR, n=n, x=0.5)
        told = journal.entry(at, "x", "gateway", whom=PATIENT if n == 4 else None)
        await database.commit([entry, told] if n == 4 else [entry])
        await journal.sign_head(at)
    oblivion = Forgetting(database, journal, ring)
    await oblivion.step(NOW - DAY * 1.75, 99, Kept(), NOW)
    await oblivion.erase([5], NOW, "request")
    await journal.sign_head(NOW)
    return await export(database, journal, ring, tmp_path / "journal.head")


def test_what_was_written_is_whole(lines: Lines, ring: KeyRing) -> None:
    """An export that nobody touched passes, and says what is no longer in it."""
    found = {"first": 3, "last": 9, "signed": 9, "purged": 2, "left out": 0, "erased": 1}
    assert found == check(lines, ring)
    assert {"n": 3, "x": 0.5} == lines[1]["detail"]
    assert DOCTOR == lines[1]["who"]
    assert None is lines[3]["detail"]


def _row(number: int, **changes: Any) -> Callable[[Lines], object]:
    return lambda lines: lines[number].update(changes)


def _proof(number: int, **changes: Any) -> Callable[[Lines], object]:
    return lambda lines: lines[number]["proof"].update(changes)


def _end(**changes: Any) -> Callable[[Lines], object]:
    return lambda lines: lines[-1].update(changes)


def _hide(lines: Lines) -> None:
    """Say that a row's content was erased, with the right digest of it."""
    told = standalone._content(lines[2]["proof"]).hex()
    lines[2]["proof"] = {key: lines[2]["proof"][key] for key in ("at", "hash")} | {"content": told}
    lines[2] |= {"who": None, "whom": None, "detail": None}


def _begin_later(lines: Lines) -> None:
    lines[0] = lines[0] | {"after": 3, "hash": lines[1]["proof"]["hash"]}
    del lines[1]


CRIMES: list[tuple[str, Callable[[Lines], object], str]] = [
    ("event", _row(1, event="é.read"), "row 3 is not the one that was written"),
    ("actor", _row(1, actor="operator:eve"), "row 3 is not"),
    ("message", _row(1, message=None), "row 3 is not"),
    ("shown time", _row(1, at="2026-11-21T08:00:00+00:00"), "row 3 is not"),
    ("shown who", _row(1, who="eve@chu.example"), "row 3 is not"),
    ("shown whom", _row(1, whom="eve@chu.example"), "row 3 is not"),
    ("shown detail", _row(1, detail={"n": 4}), "row 3 is not"),
    ("text", _proof(1, text='{"who":"dr@chu.example","n":4,"x":0.5}'), "row 3 is not"),
    ("salt", _proof(1, salt="00" * 16), "row 3 is not"),
    ("time", _proof(1, at=1.5), "row 3 is not"),
    ("key", _proof(1, who=None), "row 3 is not"),
    ("sealed", _proof(1, sealed="ab"), "row 3 is not"),
    ("hash", _proof(1, hash="ab" * 32), "row 3 is not"),
    ("no time", _row(1, at=None), "row 3 is not"),
    ("no text", _proof(1, text=None), "row 3 is not"),
    ("odd hex", _proof(1, hash="abc"), "row 3 is not"),
    ("put beside", _row(1, note="approved"), "row 3 is not"),
    ("no proof", _row(1, proof=None), "row 3 cannot be read"),
    ("removed", lambda lines: lines.pop(2), "row 4 is missing"),
    ("first removed", lambda lines: lines.pop(1), "row 3 is missing"),
    ("last removed", lambda lines: lines.pop(-2), "row 9 to 9 were cut off"),
    ("put in twice", lambda lines: lines.insert(2, lines[1]), "row 4 is missing"),
    ("cut off", lambda lines: lines.__delitem__(slice(-3, None)), "the end is missing"),
    ("after the end", lambda lines: lines.append(lines[1]), "comes after the end"),
    ("erased unsigned", _hide, "row 4 was erased, and nobody signed that"),
    ("erased, no text", _end(erased=[]), "row 5 was erased, and nobody signed that"),
    ("no head", _end(head=None, days=[], erased=[]), "there is no signed head"),
    ("purge unsigned", _end(purged=None), "rows 1 to 2 are missing"),
    ("begins later", _begin_later, "rows 3 to 3 are missing"),
    ("begins elsewhere", _row(0, hash="ab" * 32), "row 3 is not the one"),
    ("another format", _row(0, format="mine"), "this is no 'sceau"),
    ("no number", _row(0, after="x"), "is no row's number"),
    ("no number at all", _row(0, after=None), "is no row's number"),
    ("no hash", _row(0, hash=7), "what should be hex digits"),
]


@pytest.mark.parametrize(("crime", "problem"), [c[1:] for c in CRIMES], ids=[c[0] for c in CRIMES])
def test_what_was_done_to_an_export_is_found(
    lines: Lines, ring: KeyRing, crime: Callable[[Lines], object], problem: str
) -> None:
    """Altered, removed, cut off, put in, hidden: each is named."""
    crime(lines)
    with pytest.raises(Problem, match=problem.replace("row 9 to 9", "rows 9 to 9")):
        check(lines, ring)


def test_what_was_done_before_the_export_is_found(
    lines: Lines, ring: KeyRing, database: Database
) -> None:
    """Rows that somebody wrote anew, chain and all, do not lead to what was signed."""
    for line in lines[1:-1]:
        line["event"] = line["event"].replace("é.sent", "é.read")
    previous = bytes.fromhex(lines[0]["hash"])
    for line in lines[1:-1]:
        proof = line["proof"]
        told = bytes.fromhex(proof["content"]) if "content" in proof else standalone._content(proof)
        previous = standalone._link(line, proof, previous, told)
        proof["hash"] = previous.hex()
    with pytest.raises(Problem, match="is not the one that was signed"):
        check(lines, ring)


def test_an_older_head_hides_nothing_from_who_kept_a_newer(lines: Lines, ring: KeyRing) -> None:
    """Who cuts the end off with a genuine older head is found by a head that was kept elsewhere."""
    newest = lines[-1]["head"]
    day = lines[-1]["days"][-1]
    cut = [*lines[:3], lines[-1] | {"head": day, "erased": [], "days": lines[-1]["days"][:2]}]
    upto = standalone._Signed({"head": day}, ring.public_key, ()).heads[-1][0]
    cut[1:-1] = [line for line in lines[1:-1] if line["seq"] <= upto]
    if any("content" in line["proof"] for line in cut[1:-1]):
        cut[-1]["erased"] = lines[-1]["erased"]
    assert upto == check(cut, ring)["last"]
    with pytest.raises(Problem, match="to 9 were cut off"):
        check(cut, ring, newest)


def test_a_name_that_is_said_twice(lines: Lines, ring: KeyRing) -> None:
    """Two readers must not see two things in one line."""
    texts = [json.dumps(line) for line in lines]
    texts[1] = texts[1].replace('"actor"', '"actor": "operator:eve", "actor"', 1)
    with pytest.raises(Problem, match="line 2 is no line of an export"):
        standalone.check(texts, ring.public_key)


def test_a_text_that_says_nothing(lines: Lines, ring: KeyRing) -> None:
    """A good signature over something else is no head."""
    octets = f"{standalone.HEAD}\nseq one\n".encode()
    text = octets.decode() + base64.b64encode(ring.sign(octets)).decode() + "\n"
    with pytest.raises(Problem, match="does not go on as it must"):
        check(lines, ring, text)


def test_signed_by_somebody_else(lines: Lines, ring: KeyRing) -> None:
    """Another key vouches for nothing, nor does a text under another name."""
    with pytest.raises(Problem, match="was not signed by that key"):
        standalone.check([json.dumps(line) for line in lines], bytes(32))
    lines[-1]["head"] = lines[-1]["purged"]
    with pytest.raises(Problem, match="is something else"):
        check(lines, ring)


async def test_a_part_is_proven_from_its_first_row(
    lines: Lines, database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """A later part is whole in itself; that it is one has to be meant."""
    part = await export(database, journal, ring, tmp_path / "journal.head", 6)
    with pytest.raises(Problem, match="rows 3 to 6 are missing"):
        check(part, ring)
    found = check(part, ring, part=True)
    assert (7, 9, 4) == (found["first"], found["last"], found["left out"])
    later = await export(database, journal, ring, tmp_path / "journal.head", 99)
    assert 2 == len(later)
    assert (10, 9) == tuple(check(later, ring, part=True)[key] for key in ("first", "last"))


async def test_an_empty_journal(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """Nothing was written, and that was signed."""
    await journal.sign_head(NOW)
    empty = await export(database, journal, ring, tmp_path / "journal.head")
    assert 0 == check(empty, ring)["last"]
    with pytest.raises(Problem, match="chained to something that was before it"):
        check([empty[0] | {"hash": "ab" * 32}, empty[1]], ring)


async def test_a_damaged_row_is_said(
    lines: Lines, database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """A row that does not open is exported as such, and stops whoever checks."""
    database._writer.connection.execute("UPDATE journal SET detail = x'00' WHERE seq = 4")
    made = await export(database, journal, ring, tmp_path / "journal.head")
    assert None is made[2]["proof"]
    with pytest.raises(Problem, match="row 4 cannot be read"):
        check(made, ring)


@given(st.lists(st.text(max_size=40) | st.just('{"seq": 1}') | st.just("{}"), max_size=4))
def test_any_text_is_a_problem(texts: list[str]) -> None:
    """Whatever lies in the file, the answer is whole or a problem."""
    begin = json.dumps({"format": standalone.FORMAT, "after": 0, "hash": "00" * 32})
    for given_lines in (texts, [begin, *texts]):
        with pytest.raises(Problem):
            standalone.check(given_lines, bytes(32))


def test_it_stands_alone() -> None:
    """The file imports nothing but Python's own and cryptography."""
    tree = ast.parse(Path(standalone.__file__).read_text("utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert {"cryptography"} == names - set(sys.stdlib_module_names)


def test_an_auditor_runs_the_file(lines: Lines, ring: KeyRing, tmp_path: Path) -> None:
    """Copied to another place, by itself: what it says, and its exit code."""
    alone = tmp_path / "elsewhere" / "check.py"
    alone.parent.mkdir()
    alone.write_text(Path(standalone.__file__).read_text("utf-8"))
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("".join(json.dumps(line) + "\n" for line in lines))
    lines[2]["actor"] = "operator:eve"
    bad.write_text("".join(json.dumps(line) + "\n" for line in lines))
    key = ring.public_key.hex()

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", str(alone), *words], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    head = str(tmp_path / "journal.head")
    assert (0, "Whole: rows 3 to 9, signed up to 9.\n") == (
        run(str(good), key, head)[0],
        run(str(good), key, head)[1].splitlines(keepends=True)[0],
    )
    assert (1, "NOT WHOLE: row 4 is not the one that was written\n") == run(str(bad), key)


def test_its_words(
    lines: Lines, ring: KeyRing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage is 2, what cannot be read is 1, and what is not in it is said."""
    good, key = tmp_path / "good.jsonl", ring.public_key.hex()
    lines[-1] |= {"head": lines[-1]["days"][-1]}
    good.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert 2 == standalone.main([])
    assert 2 == standalone.main([str(good), "abc"])
    assert 1 == standalone.main([str(tmp_path / "none"), key])
    capsys.readouterr()
    assert 0 == standalone.main(["--part", str(good), key])
    said = capsys.readouterr().out
    good.write_text("no export\n")
    assert 1 == standalone.main([str(good), key])
    for words in ("nobody vouches", "up to 2 were purged", "content of 1 rows"):
        assert words in said


def test_a_part_says_what_is_left_out() -> None:
    """Rows between what was purged and the first are counted."""
    found = {"first": 7, "last": 9, "signed": 9, "purged": 0, "left out": 6, "erased": 0}
    assert "6 rows before the first were not exported" in standalone._words(found)


async def test_heads_that_cannot_be_read(
    database: Database, journal: Journal, ring: KeyRing, tmp_path: Path
) -> None:
    """An export without its heads is none."""
    head = tmp_path / "journal.head"
    head.write_bytes(b"\xff")
    with pytest.raises(VaultError, match="cannot be read"):
        Exporting(database, journal, head, ring.public_key).ends()
