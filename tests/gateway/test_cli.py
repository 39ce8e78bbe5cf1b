"""The command line: quick, clear about what went wrong, documented to the last verb."""

import io
import json
import re
import resource
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner, Result

from gateway.cli import main, show
from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from tests.world.clock import START
from tests.world.lists import Lists
from tests.world.site import Site
from trust.formats import native

_DOCUMENTED = re.compile(r"^\| `sceau ([a-z ]+)`", re.MULTILINE)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    authority = Authority.make(START)
    lists = Lists.make(authority)
    return Site.make(tmp_path / "labo", "labo.example", authority, lists)


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def _verbs() -> set[str]:
    found = set()
    context = click.Context(main)
    assert isinstance(main, click.Group)
    for noun in main.list_commands(context):
        command = main.get_command(context, noun)
        if isinstance(command, click.Group):
            found |= {f"{noun} {verb}" for verb in command.commands}
        else:
            found.add(noun)
    return found


def test_every_verb_is_documented_and_no_other() -> None:
    """docs/operations.md is the list of what an operator can do."""
    documented = _DOCUMENTED.findall(Path("docs/operations.md").read_text("utf-8"))

    assert _verbs() == set(documented)
    assert len(documented) == len(set(documented))


def test_no_summary_is_cut_off() -> None:
    """What a verb does stands whole in the list of verbs, however narrow the window."""
    for noun in {verb.partition(" ")[0] for verb in _verbs()}:
        assert "..." not in _run(noun, "--help").stdout.partition("Commands:")[2], noun


def test_every_verb_answers_in_json_if_asked() -> None:
    """Others script against the command."""
    for verb in _verbs() - {"journal export"}:
        assert "--json" in _run(*verb.split(), "--help").output, verb


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(shell: str) -> None:
    """What is printed names our variable; another shell is wrong usage."""
    assert "_SCEAU_COMPLETE" in _run("completion", shell).stdout
    assert shell == json.loads(_run("completion", shell, "--json").stdout)["shell"]
    assert 2 == _run("completion", "tcsh").exit_code
    assert f"\n  sceau completion {shell} > " in _run("completion", "--help").stdout


def test_verbs_are_completed() -> None:
    """The shell asks the command itself, which knows its nouns and verbs."""
    asked = BashComplete(main, {}, "sceau", "_SCEAU_COMPLETE")
    assert ["journal"] == [each.value for each in asked.get_completions([], "jour")]
    assert ["erase", "export"] == [each.value for each in asked.get_completions(["journal"], "e")]


@pytest.mark.parametrize(
    ("column", "text", "colour"),
    [
        ("state", "delivered", "green"),
        ("status", "Held", "yellow"),
        ("level", "fail", "red"),
        ("event", "login.failed", "red"),
        ("event", "message.accepted", ""),
        ("address", "delivered", ""),
    ],
)
def test_states_are_coloured(column: str, text: str, colour: str) -> None:
    """A state's name, in a state's place, and nothing else."""
    assert colour == show.style(column, text)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only to who looks, and on stderr: what is piped stays clean."""
    with show.counting("rows") as quiet, show.waiting("walking"):
        quiet(1)
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with show.counting("rows") as seen:
        seen(1200)
        with show.waiting("beside it", after=0):
            pass
    assert "rows" in terminal.getvalue()
    assert "beside" not in terminal.getvalue()


def test_long_waits_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends at once shows nothing; what does not, shows that it goes on."""
    terminal, shown = _Terminal(), threading.Event()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("rich.status.Status.start", lambda _: shown.set())
    with show.waiting("walking", after=3600):
        pass
    assert not shown.is_set()
    with show.waiting("walking", after=0):
        assert shown.wait(10)


def test_help_is_quick() -> None:
    """An operator who looks something up does not wait: no heavy library is imported."""
    words = [sys.executable, "-X", "importtime", "-m", "gateway", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"asyncio", "pydantic", "rich", "cryptography", "msgspec", "starlette", "structlog"}
    assert set() == imported & heavy


def test_help_takes_less_than_a_blink() -> None:
    """150 ms of the processor, the best of three: how long others kept it busy does not count."""
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "gateway", "-h"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    assert min(took) < 0.15


def test_the_gateway_does_without_what_it_does_not_need() -> None:
    """What paints tables for people is not in its memory; afterwards it is there as ever."""
    program = (
        "import sys; from gateway.cli.serve import PAINTING, without\n"
        "with without(*PAINTING): import gateway.app, gateway.running.serving\n"
        "print(*{'rich', 'pygments', 'aiomqtt', 'paho'} & sys.modules.keys())\n"
        "import rich\n"
        "with without(*PAINTING): import rich.table\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "\n" == done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [(["nope"], 2), (["spool", "retry"], 2), (["mailbox", "add", "--kind", "X"], 2)],
)
def test_wrong_usage_is_code_2(words: list[str], code: int) -> None:
    """A script tells a typing error from a failure."""
    assert code == _run(*words).exit_code


def test_what_cannot_be_done_is_code_1_with_a_hint(site: Site) -> None:
    """What happened and what to do, on stderr; nothing on stdout."""
    done = _run("spool", "show", "AAAA-BBBB", "-c", site.config)

    assert 1 == done.exit_code
    assert "" == done.stdout
    assert done.stderr.startswith("sceau: no message here is known as AAAA-BBBB\n  hint: ")


def test_a_bug_is_code_1_without_a_traceback(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    """A traceback could print what it choked on."""

    def broken(*_: object) -> None:
        raise ValueError("canary")

    monkeypatch.setattr("gateway.cli.call.data_folder", broken)
    done = _run("mailbox", "list", "-c", site.config)

    assert 1 == done.exit_code
    assert "an unexpected ValueError at test_cli.py:" in done.stderr
    assert "canary" not in done.output


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationError("the disk is gone", "find it"), "sceau: the disk is gone\n  hint: find it"),
        (ValueError("canary"), "an unexpected ValueError"),
    ],
)
def test_an_error_among_tasks_is_told_as_itself(
    monkeypatch: pytest.MonkeyPatch, site: Site, error: Exception, words: str
) -> None:
    """That tasks ended together is no news to an operator."""

    def broken(*_: object) -> None:
        raise ExceptionGroup("tasks", [ExceptionGroup("more", [error]), KeyError("x")])

    monkeypatch.setattr("gateway.cli.call.data_folder", broken)
    done = _run("mailbox", "list", "-c", site.config)

    assert 1 == done.exit_code
    assert words in done.stderr
    assert "canary" not in done.output


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "cannot read"), ("[paths]\n", "does not say where"), ("x", "cannot be understood: ")],
)
def test_an_unusable_configuration_is_said_so(tmp_path: Path, text: str | None, words: str) -> None:
    """Before anything is opened."""
    config = tmp_path / "gateway.toml"
    if text is not None:
        config.write_text(text)
    done = _run("mailbox", "list", "-c", config)

    assert 1 == done.exit_code
    assert words in done.stderr


def test_a_wrong_setting_is_code_1(site: Site) -> None:
    """With the key that is wrong."""
    site.config.write_text(site.config.read_text() + "[relay]\nretries = 3\n")
    done = _run("mailbox", "list", "-c", site.config)

    assert 1 == done.exit_code
    assert "relay.retries" in done.stderr


def test_without_a_gateway_the_command_does_it_itself(site: Site) -> None:
    """Tables for people, one line of JSON for programs."""
    made = _run("mailbox", "add", "dr@labo.example", "--name", "Dr", "--json", "-c", site.config)
    table = _run("mailbox", "list", "-c", site.config)

    assert 0 == made.exit_code
    assert "dr@labo.example" == json.loads(made.stdout)["address"]
    assert ["address", "kind", "status", "name", "key", "created"] == table.stdout.split()[:6]
    assert "dr@labo.example" in table.stdout


def test_an_empty_list_is_a_sentence(site: Site) -> None:
    """Not a table of nothing."""
    done = _run("spool", "list", "-c", site.config)

    assert "Nothing is on its way.\n" == done.stdout


def test_keys_are_made_once(site: Site) -> None:
    """A ring that opens something is never overwritten."""
    again = _run("keys", "create", "-c", site.config)
    (site.folder / "keys" / "ring.json").unlink()
    first = _run("keys", "create", "-c", site.config, "--json")

    assert (1, 0) == (again.exit_code, first.exit_code)
    assert "never overwritten" in again.stderr
    assert 0o600 == (site.folder / "keys" / "ring.json").stat().st_mode & 0o777


def test_the_journal_is_exported_line_by_line(site: Site) -> None:
    """The export itself is in it, and so is the proof."""
    _run("mailbox", "list", "-c", site.config)
    done = _run("journal", "export", "-c", site.config)

    begins, *rows, ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert ["operation.mailbox.list", "operation.journal.export"] == [r["event"] for r in rows]
    assert (0, 2) == (begins["after"], int(ends["head"].split()[5]))
    assert 0 == _run("journal", "verify", "-c", site.config).exit_code


def test_an_auditor_checks_the_export(site: Site, tmp_path: Path) -> None:
    """What export writes, the file that verifier prints finds whole; nobody else can read it."""
    output, check = tmp_path / "export.jsonl", tmp_path / "check.py"
    said = _run("journal", "export", "-c", site.config, "--output", output)
    check.write_text(_run("journal", "verifier").stdout)
    key = json.loads(_run("keys", "list", "-c", site.config, "--json").stdout)["journal_key"]
    words = [sys.executable, "-I", str(check), str(output), key]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert f"1 row in {output}, for your eyes alone.\n" == said.stdout
    assert 0o600 == output.stat().st_mode & 0o777
    assert (0, "Whole: rows 1 to 1, signed up to 1.\n") == (done.returncode, done.stdout)


def test_a_persons_rows_are_shown_held_and_erased(site: Site) -> None:
    """What an operator types when a patient writes a letter."""
    who, config = "dr@labo.example", ("-c", site.config)
    assert "says nothing of dr@labo.example" not in _run("journal", "access", who, *config).stdout
    assert "keeps" not in _run("journal", "access", who, *config).stdout
    reason = ("--reason", "demande")
    assert "may be erased now" in _run("journal", "erase", who, *reason, *config).stdout
    assert "number     1" in _run("journal", "hold", who, *reason, *config).stdout
    assert "A legal hold keeps" in _run("journal", "access", who, *config).stdout
    assert 1 == _run("journal", "erase", who, *reason, *config).exit_code
    assert "waiting" in _run("journal", "unhold", "1", *reason, *config).stdout
    assert "demande" in _run("journal", "holds", *config).stdout


def test_a_list_is_signed_verified_and_put_in_force(site: Site, tmp_path: Path) -> None:
    """What sign writes, verify and import believe; a changed list they do not."""
    authority = Authority.make(START)
    lists = Lists.make(authority)
    lists.add("labo.example", site.issued)
    content, _ = lists.published()
    file = tmp_path / "list.json"
    file.write_bytes(content)
    crt, key = lists.signer.write(tmp_path, "registre")
    signed = _run("trust", "sign", file, "--certificate", crt, "--key", key, "--json")
    signature = json.loads(signed.stdout)["signature"]
    (site.folder / "signer.crt").write_bytes(crt.read_bytes())

    assert 0 == _run("trust", "verify", file, signature, "--signer", crt).exit_code
    assert 0 == _run("trust", "import", file, signature, "-c", site.config).exit_code
    shown = json.loads(_run("trust", "show", "-c", site.config, "--json").stdout)
    (listed,) = shown["sources"]
    assert ("version 1", ["labo.example"]) == (
        listed["version"],
        [m["domain"] for m in shown["members"]],
    )
    file.write_bytes(content.replace(b"labo", b"lab0"))
    changed = _run("trust", "verify", file, signature, "--signer", crt)
    assert (1, True) == (changed.exit_code, "not to be believed" in changed.stderr)


def test_a_list_is_written_by_hand_and_made_ready_to_sign(tmp_path: Path) -> None:
    """Nobody has to write canonical JSON, or count versions."""
    source, first, second = (tmp_path / name for name in ("draft.json", "1.json", "2.json"))
    member = {"domain": "labo.example", "identities": [{"san": "mx.labo.example"}]}
    source.write_text(json.dumps({"members": [member]}, indent=4))

    assert 0 == _run("trust", "draft", source, first).exit_code
    made = json.loads(_run("trust", "draft", source, second, "--before", first, "--json").stdout)
    source.write_text("{}")
    refused = _run("trust", "draft", source, second)

    assert (2, 1) == (made["version"], made["members"])
    assert native.digest(first.read_bytes()) == native.read(second.read_bytes()).previous
    assert (1, True) == (refused.exit_code, "no list was made" in refused.stderr)
