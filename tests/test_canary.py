"""The search that proves that nothing lies in clear must itself be proven to find things."""

import base64
import gzip
import io
import json
import quopri
import zipfile
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.canary import Canary, Finding, search, search_folder

TEXT = "Kanarienvogel-7788-é"
CANARY = Canary("subject", TEXT)
PLAIN = Canary("address", "jeanne.kanari@labo.example")


def _forms(content: bytes, canary: Canary = CANARY) -> set[str]:
    return {finding.form for finding in search(content, [canary])}


def _zip(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a/résultat.xml", content)
    return out.getvalue()


CONTROLS = {
    "raw": (TEXT.encode(), "raw"),
    "raw, other case": (TEXT.upper().encode(), "raw"),
    "latin-1": (TEXT.encode("latin-1"), "raw"),
    "UTF-16, little end first": (TEXT.encode("utf-16-le"), "utf-16-le"),
    "UTF-16, big end first": (TEXT.encode("utf-16-be"), "utf-16-be"),
    "hexadecimal": (TEXT.encode().hex().encode(), "hex"),
    "hexadecimal, upper case, spaced": (TEXT.encode().hex(" ").upper().encode(), "hex"),
    "hexadecimal with colons": (TEXT.encode().hex(":").encode(), "hex"),
    "base64": (base64.b64encode(TEXT.encode()), "base64+0"),
    "base64, shifted by one": (base64.b64encode(b"x" + TEXT.encode()), "base64+1"),
    "base64, shifted by two": (base64.b64encode(b"xy" + TEXT.encode()), "base64+2"),
    "base64, wrapped": (base64.encodebytes(b"." * 50 + TEXT.encode() + b"." * 9), "base64+2"),
    "quoted-printable": (quopri.encodestring(TEXT.encode()), "escaped"),
    "quoted-printable, wrapped": (quopri.encodestring(b"x" * 70 + TEXT.encode()), "escaped"),
    "percent": (quote(TEXT, safe="").encode(), "escaped"),
    "JSON": (json.dumps({"subject": TEXT}).encode(), "escaped"),
    "Python": (repr(TEXT.encode("latin-1")).encode(), "escaped"),
}


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("before", [b"", b"\x00\xff\r\n"])
def test_a_canary_is_found_in_every_encoding(name: str, before: bytes) -> None:
    """A form that the search does not know would be a proof of nothing."""
    content, form = CONTROLS[name]

    assert form in _forms(before + content + b"\x00 tail")


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "deflate": zlib.compress(b"<title>" + TEXT.encode()),
        "deflate, level 0": zlib.compress(TEXT.encode(), 0),
        "gzip": gzip.compress(TEXT.encode(), mtime=0),
        "zip": _zip(TEXT.encode()),
        "zip, stored": _zip(TEXT.encode(), zipfile.ZIP_STORED),
        "zip in zip": _zip(_zip(TEXT.encode())),
        "zip in base64": base64.encodebytes(_zip(b"x" * 99 + TEXT.encode())),
        "base64 in base64": base64.encodebytes(base64.encodebytes(b"x" * 99 + TEXT.encode())),
        "gzip of base64": gzip.compress(base64.b64encode(TEXT.encode()), mtime=0),
    }.items(),
)
def test_a_canary_is_found_inside_what_is_wrapped(name: str, content: bytes) -> None:
    """An office document is a zip, a log that was rotated a gzip, a forwarded mail base64 twice."""
    assert _forms(b"before" + content + b"after")


def test_a_compressed_stream_that_breaks_off_is_searched_as_far_as_it_goes() -> None:
    """What a crash left half-written is at rest too."""
    whole = gzip.compress(TEXT.encode() + bytes(i * 7919 % 251 for i in range(40_000)))

    assert _forms(whole[: len(whole) // 2])


def test_an_address_is_found_in_xtext() -> None:
    """DSN parameters spell the @ as +40 (RFC 3461 §4)."""
    assert {"escaped"} == _forms(b"ORCPT=rfc822;jeanne.kanari+40labo.example", PLAIN)


def test_a_url_safe_alphabet_is_base64_too() -> None:
    """Tokens are coded with - and _."""
    text = Canary("token", "??>>??>>??>>")

    assert "base64+0" in _forms(base64.urlsafe_b64encode(text.text.encode()), text)


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_it_is_found_wherever_it_stands(before: bytes, after: bytes) -> None:
    """No neighbour hides a canary, raw or in base64."""
    octets = before + TEXT.encode() + after

    assert "raw" in _forms(octets)
    assert f"base64+{len(before) % 3}" in _forms(base64.b64encode(octets))


@given(st.binary(max_size=4000))
def test_random_octets_are_silent(content: bytes) -> None:
    """Sealed bytes look like these: what is found there would be chance, and there is none."""
    assert set() == search(content, [CANARY, PLAIN])


def test_a_folder_is_searched_with_its_names(tmp_path: Path) -> None:
    """A file's name can tell as much as its content."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(b"to " + PLAIN.text.encode())
    (tmp_path / "deep" / f"{PLAIN.text}.eml").touch()
    (tmp_path / "sealed").write_bytes(bytes(1000))

    assert {
        Finding("deep/log", "address", "raw"),
        Finding(f"name of deep/{PLAIN.text}.eml", "address", "raw"),
    } == search_folder(tmp_path, [CANARY, PLAIN])


def test_a_short_canary_is_refused() -> None:
    """Four letters turn up in a megabyte of random base64 by themselves."""
    with pytest.raises(ValueError, match="too short"):
        Canary("name", "abcd")


def test_a_place_inside_an_archive_is_named() -> None:
    """Whoever reads the finding knows where to look."""
    found = search(_zip(PLAIN.text.encode()), [PLAIN], "result.zip")

    assert {Finding("result.zip > zip", "address", "raw")} == found
