import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from quarantine.archives import Member, in_packed, in_tar, in_zip
from quarantine.budget import Budget, Exhausted, Limits
from quarantine.policy import Finding
from tests.quarantine.files import encrypted, tarred, zipped

BUDGET = Limits(largest=100_000)


def of_zip(content: bytes) -> list[Member | Finding]:
    return list(in_zip(content, "a.zip", Budget(BUDGET)))


def of_tar(content: bytes) -> list[Member | Finding]:
    return list(in_tar(content, "a.tar", Budget(BUDGET)))


def of_packed(content: bytes) -> list[Member | Finding]:
    return list(in_packed(content, "x/a.txt.gz", Budget(BUDGET)))


def tar_of(entry: tarfile.TarInfo, content: bytes = b"", how: int = tarfile.GNU_FORMAT) -> bytes:
    made = io.BytesIO()
    entry.size = len(content)
    with tarfile.open(fileobj=made, mode="w", format=how) as archive:
        archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def test_zip() -> None:
    """Each file, in the order of the directory; folders are no files."""
    found = of_zip(zipped({"d/": b"", "d/a": b"un", "b": b"deux"}))
    assert [Member("d/a", b"un"), Member("b", b"deux")] == found


def test_a_zip_that_is_broken() -> None:
    """What cannot be read gives one finding, and no file."""
    assert [Finding("archive-unreadable", "a.zip: it has no directory")] == of_zip(b"PK\x03\x04")


def test_a_zip_with_two_opinions() -> None:
    """It is read as its directory has it, and told."""
    made = bytearray(zipped({"a": b"b"}, zipfile.ZIP_STORED))
    made[30:31] = b"z"
    finding, member = of_zip(bytes(made))
    assert Finding("archive-unreadable", "a.zip: its directory and its files disagree") == finding
    assert Member("a", b"b") == member


def test_a_zip_whose_files_overlap() -> None:
    """Nothing of it is unpacked."""
    one = zipped({"a": bytes(1000)})
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry, tail = one[at:end], bytearray(one[end:])
    tail[8:12] = b"\x02\x00\x02\x00"
    tail[12:16] = (2 * len(entry)).to_bytes(4, "little")
    found = of_zip(one[:at] + 2 * entry + bytes(tail))
    assert Finding("archive-bomb", "a.zip: its files overlap") == found[-1]
    assert not any(isinstance(each, Member) for each in found)


def test_a_link_in_a_zip() -> None:
    """What is unpacked behind it would be written where it points."""
    link = zipfile.ZipInfo("lien")
    link.external_attr = 0xA1FF << 16
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(link, b"/etc")
    assert Finding("archive-traversal", "a.zip: lien") == of_zip(made.getvalue())[0]


def test_a_password() -> None:
    """A file nobody can open is named; the others are read."""
    assert [Finding("archive-encrypted", "a.zip: s.txt")] == of_zip(encrypted("s.txt"))


def test_a_file_that_is_damaged() -> None:
    """As much of it as comes out is looked at."""
    made = bytearray(zipped({"a": b"bonjour"}))
    at = made.rindex(b"PK\x01\x02") + 24
    made[at : at + 1] = b"\x01"
    finding, member = of_zip(bytes(made))
    assert (
        Finding("archive-unreadable", "a.zip: a: a file has another size than its directory says")
        == finding
    )
    assert Member("a", b"bonjour") == member


def test_a_file_that_is_too_large() -> None:
    """How it begins is kept, and that it is not whole."""
    (member,) = of_zip(zipped({"a": bytes(600_000)}))
    assert isinstance(member, Member)
    assert (64 << 10, False) == (len(member.content), member.whole)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed(pack: object) -> None:
    """One file, under its own name; several behind each other are one."""
    assert callable(pack)
    content = b"bonjour" * 10_000
    assert [Member("a.txt", content)] == of_packed(pack(content))
    assert [Member("a.txt", content + b"encore")] == of_packed(pack(content) + pack(b"encore"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"bonjour", mtime=0) + b"more", "something follows its end"),
        (gzip.compress(b"bonjour", mtime=0)[:-9], "it is cut short"),
        (b"\x1f\x8b\xff" + bytes(20), "a file does not unpack"),
        (b"\xfd7zXZ\x00" + b"\xff" * 20, "a file does not unpack"),
        (b"BZh9" + b"\xff" * 20, "a file does not unpack"),
    ],
)
def test_packed_and_broken(content: bytes, why: str) -> None:
    """What comes out is looked at all the same."""
    finding, member = of_packed(content)
    assert Finding("archive-unreadable", f"x/a.txt.gz: a.txt: {why}") == finding
    assert isinstance(member, Member)


def test_a_packed_bomb() -> None:
    """A thousand times as large is still counted."""
    content = gzip.compress(bytes(4 << 20))
    with pytest.raises(Exhausted):
        list(in_packed(content, "a.gz", Budget(Limits(unpacked=1 << 20))))


def test_tar() -> None:
    """Each file; folders are none."""
    folder = tarfile.TarInfo("d")
    folder.type = tarfile.DIRTYPE
    assert [Member("a", b"un"), Member("b/c", b"")] == of_tar(tarred({"a": b"un", "b/c": b""}))
    assert [] == of_tar(tar_of(folder))


@pytest.mark.parametrize("how", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names(how: int) -> None:
    """Each program has its own way of writing them."""
    name = "/".join(["dossier" * 5] * 4) + "/é.txt"
    found = of_tar(tar_of(tarfile.TarInfo(name), b"x", how))
    assert [Member(name, b"x")] == found


def test_other_words_about_a_file() -> None:
    """What else is said of a file ahead of it is passed over."""
    entry = tarfile.TarInfo("a")
    entry.pax_headers = {"comment": "bonjour"}
    assert [Member("a", b"x")] == of_tar(tar_of(entry, b"x", tarfile.PAX_FORMAT))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_tar(kind: bytes) -> None:
    """One that leads out of the folder; one that stays is harmless."""
    entry = tarfile.TarInfo("lien")
    entry.type, entry.linkname = kind, "../../etc/passwd"
    assert [Finding("archive-traversal", "a.tar: lien")] == of_tar(tar_of(entry))
    entry.linkname = "voisin"
    assert [] == of_tar(tar_of(entry))


@pytest.mark.parametrize(
    "content",
    [
        tarred({"a": b"x" * 600})[:1000],
        tarred({"a": b"x"})[:124] + b"not a number" + tarred({"a": b"x"})[136:],
        tarred({"a": b"x"})[:124] + b"\x80" + b"\xff" * 11 + tarred({"a": b"x"})[136:],
        b"x" * 512,
    ],
)
def test_a_tar_that_is_broken(content: bytes) -> None:
    """Where it stops making sense it is left."""
    (finding,) = of_tar(content)
    assert isinstance(finding, Finding)
    assert "archive-unreadable" == finding.reason
