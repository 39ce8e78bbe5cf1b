"""Every setting is documented, checked at start, and named when it is wrong."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gateway.settings import Settings, SettingsError, load
from gateway.settings.listen import Listen, Listener
from gateway.settings.trust import Signer, Source
from quarantine.policy import Action

_EXAMPLE = Path("config/gateway.toml")
_COMMENTED = re.compile(r"^# ([a-z_]+ = .*|\[\[?[a-z_.]+\]\]?.*)$", re.MULTILINE)

_LEAST = """
[site]
name = "labo"
host = "MX.labo.example"
domains = ["Labo.example"]
[paths]
data = "data"
keys = "keys/ring.json"
[tls]
certificate = "gateway.crt"
key = "/abs/gateway.key"
anchors = "anchors.pem"
"""


def _rule(words: str) -> str:
    return f'[[quarantine.rule]]\naction = "hold"\n{words}\n'


def _written(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    path.write_text(text)
    return path


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    return {name: field.get_default() for name, field in model.model_fields.items()}


def _example(*, whole: bool) -> dict[str, Any]:
    text = _EXAMPLE.read_text("utf-8")
    return tomllib.loads(_COMMENTED.sub(r"\1", text) if whole else text)


def test_the_example_shows_every_key_and_no_other() -> None:
    """An operator finds every setting in one file."""
    example = _example(whole=True)
    sections: dict[str, Any] = {
        name: field.annotation for name, field in Settings.model_fields.items()
    }

    assert sections.keys() == example.keys()
    for name, section in sections.items():
        assert _keys(section).keys() == example[name].keys(), name
    assert Listen.model_fields.keys() == example["listen"].keys()
    assert _keys(Listener).keys() == example["listen"]["submission"].keys()
    (source,) = example["trust"]["source"]
    assert _keys(Source).keys() == source.keys()
    assert _keys(Signer).keys() == source["signer"][0].keys()


def test_the_example_shows_the_defaults_in_its_comments() -> None:
    """What is commented out is what holds without it."""
    whole, given = _example(whole=True), _example(whole=False)
    for name, field in Settings.model_fields.items():
        section: Any = Listener if name == "listen" else field.annotation
        shown, set_ = whole[name], given.get(name, {})
        if name == "listen":
            shown, set_ = shown["submission"], set_["submission"]
        for key, default in _keys(section).items():
            if key in set_ or default in (PydanticUndefined, None, "", ()):
                continue  # shown with a value of the example's own
            value = tuple(shown[key]) if isinstance(default, tuple) else shown[key]
            assert default == value, f"{name}.{key}"


def test_the_example_itself_is_valid() -> None:
    """A copy of the example needs no cure before it is adapted."""
    settings = load(_EXAMPLE)

    assert "postmaster@chu-nord.example" == settings.site.postmaster
    assert settings.listen.relay is not None
    assert 25 == settings.listen.relay.port


def test_relative_paths_start_from_the_file(tmp_path: Path) -> None:
    """It does not matter from where the gateway is started."""
    settings = load(_written(tmp_path, _LEAST + '[trust]\nsigners = ["a.crt"]\n'))

    assert tmp_path / "data" == settings.paths.data
    assert Path("/abs/gateway.key") == settings.tls.key
    assert (tmp_path / "a.crt",) == settings.trust.signers


def test_names_are_normalised(tmp_path: Path) -> None:
    """Domains are compared; their spelling is not."""
    settings = load(_written(tmp_path, _LEAST))

    assert "mx.labo.example" == settings.site.host
    assert ("labo.example",) == settings.site.domains


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container is configured without rewriting its file."""
    monkeypatch.setenv("SCEAU_RELAY__EXPIRE_AFTER", "3600")

    settings = load(_written(tmp_path, _LEAST + "[relay]\nexpire_after = 60\n"))

    assert 3600 == settings.relay.expire_after


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_LEAST.replace('"labo"', '"La Bo"'), "site.name: "),
        (_LEAST.replace("Labo.example", "labo"), "site.domains: "),
        (_LEAST.replace("MX.labo.example", "-"), "site.host: "),
        (_LEAST.replace('host = "MX', 'postmaster = "x"\nhost = "MX'), "site.postmaster: "),
        (_LEAST.replace("keys/ring.json", "data/ring.json"), "keys must lie outside data"),
        (_LEAST + "[relay]\nretries = 3\n", "relay.retries: "),
        (_LEAST + "[relay]\nretry = []\n", "relay.retry: "),
        (_LEAST + "[listen.relay]\nport = 70000\n", "listen.relay.port: "),
        (_LEAST + "[trust]\nsigners = 3\n", "trust.signers: "),
        (_LEAST + '[quarantine]\nsecond_operator = ["malwar"]\n', "there is no reason malwar"),
        (_LEAST + '[quarantine]\nescrow_keys = ["a/k.asc", "b/k.gpg"]\n', "have the same name"),
        ("paths = 3\n" + _LEAST.replace("[paths]", "[path]"), "paths: "),
        (_LEAST + _rule('reasons = ["makros"]'), "there is no reason makros"),
        (_LEAST + _rule('reasons = ["macros"]\ndoors = ["realy"]'), "there is no door realy"),
        (_LEAST + _rule('reasons = ["macros"]\nsenders = ["a@"]'), "senders.0"),
        ("[site\n", "is not TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, words: str) -> None:
    """The operator reads which key is wrong, and why."""
    with pytest.raises(SettingsError) as caught:
        load(_written(tmp_path, text))

    assert words in str(caught.value)


def test_rules_of_the_quarantine(tmp_path: Path) -> None:
    """In their order, their names spelt as addresses are."""
    text = _rule('reasons = ["archive-*"]\nsenders = ["Dr@Labo.example"]\ndoors = ["relay"]')
    settings = load(_written(tmp_path, _LEAST + text + _rule('reasons = ["macros"]')))

    first, second = settings.quarantine.policy.rules
    assert "archive-bomb" in first.reasons
    assert ({"dr@labo.example"}, {"relay"}) == (set(first.senders), set(first.doors))
    assert Action.HOLD is second.action
    assert 32 << 20 == settings.quarantine.limits.largest


def test_for_which_reasons_two_release(tmp_path: Path) -> None:
    """By name or by pattern; nothing of it changes what is held."""
    text = (
        '[quarantine]\nsecond_operator = ["malware", "archive-b*"]\nescrow_keys = ["pki/dpo.asc"]\n'
    )
    found = load(_written(tmp_path, _LEAST + text)).quarantine
    assert ("archive-bomb", "malware") == found.second_operator
    assert (tmp_path / "pki/dpo.asc",) == found.escrow_keys


def test_several_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    """One start shows all that is wrong."""
    with pytest.raises(SettingsError) as caught:
        load(_written(tmp_path, _LEAST + "[relay]\njitter = 2\n[limits]\nhops = 0\n"))

    assert "relay.jitter" in str(caught.value)
    assert "limits.hops" in str(caught.value)


def test_a_postmaster_of_ones_own(tmp_path: Path) -> None:
    """Reports may come from another mailbox than postmaster."""
    text = _LEAST.replace('host = "MX', 'postmaster = "mss@labo.example"\nhost = "MX')

    assert "mss@labo.example" == load(_written(tmp_path, text)).site.postmaster


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(SettingsError, match=r"cannot read .*gateway\.toml: No such file"):
        load(tmp_path / "gateway.toml")


def test_a_wrong_key_is_told_in_plain_words(tmp_path: Path) -> None:
    """Whoever writes the file is no reader of validators."""
    text = _LEAST.replace('host = "MX.labo.example"\n', "").replace('name = "labo"', 'name = "É"')
    with pytest.raises(SettingsError) as told:
        load(_written(tmp_path, f"{text}[relay]\nretries = 3\n"))

    assert "site.host: it must be given" in str(told.value)
    assert "site.name: it has characters that are not allowed here" in str(told.value)
    assert "relay.retries: there is no such key" in str(told.value)


_NATIVE = '[[trust.source]]\nname = "a"\nsigners = ["s.crt"]\n'
_SIGNED = 'anchors = "ca.pem"\n[[trust.source.signer]]\nsubject = "CN=a"\nissuer = "CN=b"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "Nationale"\n', "it has characters that are not allowed here"),
        ('name = "a"\n', "a native list needs signers, or openpgp keys"),
        ('name = "a"\nformat = "mssante"\n', "needs a signer, and the anchors"),
        (f'name = "a"\nformat = "direct"\n{_SIGNED}', "is for domains"),
        (f'name = "a"\nformat = "mssante"\ndomains = ["b.example"]\n{_SIGNED}', "is for domains"),
        ('name = "a"\nsigners = ["s"]\nunsigned = true\n', "only a Direct bundle"),
        ('name = "a"\nsigners = ["s"]\nfile = "l"\nurl = "https://h/l"\n', "either file or url"),
        ('name = "a"\nsigners = ["s"]\nurl = "http://h/l"\n', "must begin with https://"),
        ('name = "a"\nsigners = ["s"]\nurl = "https://h/l"\n', "needs url_anchors"),
        ('name = "a"\nsigners = ["s"]\nloss = 1.5\n', "less than or equal to 1"),
        ('name = "a"\nsigners = ["s"]\ndates = "then"\n', "'date-of-list' or 'now'"),
        (f'name = "a"\nsigners = ["s"]\n{_NATIVE}', "two sources have one name"),
    ],
)
def test_a_source_that_could_never_be_believed(tmp_path: Path, text: str, words: str) -> None:
    """Or that would be believed by mistake: found at the start, not at night."""
    with pytest.raises(SettingsError) as told:
        load(_written(tmp_path, f"{_LEAST}[[trust.source]]\n{text}"))

    assert words in str(told.value)


def test_sources_stand_in_their_rank(tmp_path: Path) -> None:
    """The short form is the first; each is looked for as often as its place can bear."""
    text = f"""{_LEAST}[trust]
signers = ["one.crt"]
list = "list.json"
poll = 5
{_NATIVE}file = "a.json"
[[trust.source]]
name = "b"
format = "direct"
url = "https://h/b.p7b"
url_anchors = "h.pem"
unsigned = true
domains = ["B.example"]
"""
    short, first, second = load(_written(tmp_path, text)).trust.sources

    assert ("list", "a", "b") == (short.name, first.name, second.name)
    assert (tmp_path / "list.json", tmp_path / "a.json", None) == (
        short.file,
        first.file,
        second.file,
    )
    assert [5, 60, 3600] == [each.every for each in (short, first, second)]
    assert (tmp_path / "s.crt",) == first.signers
    assert ("b.example",) == second.domains


def test_the_long_form_stands_alone(tmp_path: Path) -> None:
    """Without signers of its own, [trust] names no source."""
    assert ["a"] == [each.name for each in load(_written(tmp_path, _LEAST + _NATIVE)).trust.sources]
