import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine import zips
from quarantine.budget import Budget, Exhausted, Limits
from quarantine.zips import Broken, Zip
from tests.quarantine.files import encrypted, zipped

STORED = zipfile.ZIP_STORED


def read(content: bytes) -> Zip:
    return zips.read(content, Budget(Limits()))


def whole(archive: Zip) -> dict[str, bytes]:
    return {one.name: b"".join(archive.unpacked(one)) for one in archive.entries}


def patched(content: bytes, magic: bytes, at: int, value: bytes) -> bytes:
    made = bytearray(content)
    start = made.rindex(magic) + at
    made[start : start + len(value)] = value
    return bytes(made)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_others_write(method: int) -> None:
    """Every file comes out as it went in."""
    files = {"a.txt": b"bonjour" * 100_000, "dossier/é.pdf": b"%PDF", "vide": b""}
    archive = read(zipped(files, method))
    assert files == whole(archive)
    assert ([], False) == (list(archive.doubts()), archive.overlaps())


def test_written_as_a_stream() -> None:
    """Sizes may stand behind a file: the directory has them."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.made = b""

        def writable(self) -> bool:
            return True

        def write(self, block: object) -> int:
            self.made += bytes(block)  # type: ignore[call-overload]
            return len(bytes(block))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a", b"un")
        archive.writestr("b", b"deux")
    found = read(pipe.made)
    assert {"a": b"un", "b": b"deux"} == whole(found)
    assert [] == list(found.doubts())


def test_the_large_form() -> None:
    """Some programs write eight octets where four would do (APPNOTE §4.5.3)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, archive.open("a", "w", force_zip64=True) as one:
        one.write(b"bonjour")
    assert {"a": b"bonjour"} == whole(read(made.getvalue()))


def large(content: bytes, *, locator: bool = True, record: bool = True) -> bytes:
    """Give an archive the large form of its end."""
    at = content.rindex(b"PK\x05\x06")
    *_, count, size, offset, _ = struct.unpack("<4s4H2LH", content[at:])
    tail = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    found = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, *(2 * [0xFFFFFFFF]), 0)
    return content[:at] + tail * record + found * locator + end


def test_the_large_end() -> None:
    """More than four octets can say about the directory."""
    assert {"a": b"b"} == whole(read(large(zipped({"a": b"b"}))))


@pytest.mark.parametrize(
    "content",
    [
        large(zipped({"a": b"b"}), locator=False),
        large(zipped({"a": b"b"}), record=False),
        struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0),
    ],
)
def test_a_large_end_that_is_incomplete(content: bytes) -> None:
    """What the end points to must be there."""
    with pytest.raises(Broken, match="its end is incomplete"):
        read(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04 and no more", "no directory"),
        (zipped({"a": b"b"})[:-1], "no directory"),
        (zipped({"a": b"b"}) + b"more", "something follows its end"),
        (patched(zipped({"a": b"b"}), b"PK\x05\x06", 12, b"\xff\xff\x00\x00"), "lies outside"),
        (patched(zipped({"a": b"b"}), b"PK\x05\x06", 16, b"\xff\xff\x00\x00"), "lies outside"),
        (patched(zipped({"a": b"b"}), b"PK\x05\x06", 10, b"\x02\x00"), "what it says"),
        (patched(zipped({"a": b"b"}), b"PK\x01\x02", 0, b"XX"), "something else in it"),
        (patched(zipped({"a": b"b"}), b"PK\x01\x02", 28, b"\xff\xff"), "what it says"),
    ],
)
def test_broken(content: bytes, why: str) -> None:
    """What only some readers open is said to be broken."""
    with pytest.raises(Broken, match=why):
        read(content)


def test_a_directory_cut_short() -> None:
    """A size that needs eight octets which are not there; an entry that goes beyond the end."""
    with pytest.raises(Broken, match="cut short"):
        zips._entry(b"PK\x01\x02 and no more", 0, 0)
    with pytest.raises(Broken, match="cut short"):
        read(wide(struct.pack("<2H", 1, 0)))


def test_a_size_of_eight_octets() -> None:
    """It stands behind the name, where the four say that they do not suffice."""
    assert {"a": b"b"} == whole(read(wide(struct.pack("<2HQ", 1, 8, 1))))


def wide(extra: bytes) -> bytes:
    """Give an archive's one file a size that stands in this extra field."""
    content = patched(zipped({"a": b"b"}), b"PK\x01\x02", 24, b"\xff\xff\xff\xff")
    at = content.index(b"PK\x01\x02")
    made = bytearray(content[: at + 47] + extra + content[at + 47 :])
    made[at + 30 : at + 32] = len(extra).to_bytes(2, "little")
    end = made.rindex(b"PK\x05\x06")
    size = int.from_bytes(made[end + 12 : end + 16], "little") + len(extra)
    made[end + 12 : end + 16] = size.to_bytes(4, "little")
    return bytes(made)


def test_other_words_about_a_file() -> None:
    """What else is said of a file, its time by the second say, is passed over."""
    one = zipfile.ZipInfo("a")
    one.extra = struct.pack("<2H5s", 0x5455, 5, b"times")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(one, b"b")
    assert {"a": b"b"} == whole(read(made.getvalue()))


def test_too_many_files() -> None:
    """They are counted while the directory is read, not after."""
    content = zipped({f"{n}": b"" for n in range(5)})
    with pytest.raises(Exhausted):
        zips.read(content, Budget(Limits(entries=4)))


def test_another_file_before_it() -> None:
    """A picture with an archive behind it is both; what hides in front is told."""
    content = b"GIF89a" + zipped({"a": b"b"})
    assert zips.ends_as_zip(content)
    archive = read(content)
    assert {"a": b"b"} == whole(archive)
    assert [] == list(archive.doubts())
    hidden = zipped({"hidden": b"x"})
    inner = hidden[: hidden.index(b"PK\x01\x02")]
    assert ["a file that its directory does not name"] == list(
        read(inner + zipped({"a": b"b"})).doubts()
    )


def test_a_file_behind_the_last() -> None:
    """Between the last file and the directory there is room to hide."""
    content = zipped({"a": b"b"}, STORED)
    at = content.index(b"PK\x01\x02")
    inner = zipped({"hidden": b"x"}, STORED)
    hidden = inner[: inner.index(b"PK\x01\x02")]
    made = content[:at] + hidden + content[at:]
    end = made.rindex(b"PK\x05\x06")
    offset = (at + len(hidden)).to_bytes(4, "little")
    made = made[: end + 16] + offset + made[end + 20 :]
    assert ["a file that its directory does not name"] == list(read(made).doubts())


@pytest.mark.parametrize(
    ("at", "value", "doubt"),
    [
        (30, b"z", "its directory and its files disagree"),  # another name
        (8, b"\x08", "its directory and its files disagree"),  # another way of packing
        (6, b"\x01", "its directory and its files disagree"),  # a password, or none
        (0, b"XX", "a file is not where its directory says"),
    ],
)
def test_two_opinions(at: int, value: bytes, doubt: str) -> None:
    """The directory says one thing, the file another: readers choose."""
    content = patched(zipped({"a": b"b"}, STORED), b"PK\x03\x04", at, value)
    assert [doubt] == list(read(content).doubts())


def test_a_file_outside() -> None:
    """A file that would begin behind the end."""
    content = patched(zipped({"a": b"b"}), b"PK\x01\x02", 42, b"\xff\xff\x00\x00")
    assert "a file lies outside it" in list(read(content).doubts())


def test_files_that_share_octets() -> None:
    """One packed file, named a thousand times."""
    one = zipped({"a": bytes(1000)})
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[at:end]
    made = one[:at] + entry * 3 + one[end:]
    place = made.rindex(b"PK\x05\x06")
    head = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, 3 * len(entry), at, 0)
    assert read(made[:place] + head).overlaps()


def test_a_size_that_is_a_lie() -> None:
    """What unpacks to another size than was said is broken."""
    archive = read(patched(zipped({"a": b"bonjour"}), b"PK\x01\x02", 24, b"\x01"))
    with pytest.raises(Broken, match="another size"):
        whole(archive)


def test_a_way_of_packing_that_is_not_known() -> None:
    """There are dozens: nobody writes them into mail."""
    archive = read(patched(zipped({"a": b"b"}), b"PK\x01\x02", 10, b"\x62"))
    with pytest.raises(Broken, match="not known here"):
        whole(archive)


def test_what_does_not_unpack() -> None:
    """Damage is told of."""
    content = zipped({"a": b"bonjour" * 100})
    made = bytearray(content)
    made[31:36] = b"\xff" * 5
    with pytest.raises(Broken, match="does not unpack"):
        whole(read(bytes(made)))


def test_what_an_entry_is() -> None:
    """A folder, a link, a file with a password."""
    link = zipfile.ZipInfo("lien")
    link.external_attr = 0xA1FF << 16
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(link, b"/etc/passwd")
        archive.writestr("dossier/", b"")
        archive.writestr("é", b"x")
    link_, folder, file = read(made.getvalue()).entries
    assert (True, False) == (link_.link, link_.folder)
    assert (False, True) == (folder.link, folder.folder)
    assert ("é", False) == (file.name, file.encrypted)
    (locked,) = read(encrypted()).entries
    assert locked.encrypted


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", zipped({"a": b""}) + b"x"])
def test_what_does_not_end_as_one(content: bytes) -> None:
    """Only what ends exactly there hides an archive."""
    assert not zips.ends_as_zip(content)


@given(st.dictionaries(st.text("abc/", min_size=1, max_size=6), st.binary(max_size=60)))
def test_round_trip(files: dict[str, bytes]) -> None:
    """Whatever others write is read again."""
    assert files == whole(read(zipped(files)))


@given(st.binary(max_size=200))
def test_any_octets(content: bytes) -> None:
    """Whatever octets it is made of, it is an archive or it is broken."""
    for tail in (b"", zipped({"a": b"b"})):
        try:
            archive = read(content + tail)
        except Broken:
            continue
        assert isinstance(archive.overlaps(), bool)
        assert all(isinstance(doubt, str) for doubt in archive.doubts())
