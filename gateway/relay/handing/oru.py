r"""A document as hospital software takes it: HL7 v2.5 ORU^R01, and what its acknowledgement says.

A document is one OBX of type ED, its PDF another; a mail with several documents is one message
with a group for each, so that they are taken together or not at all. Everything that comes from
the mail is escaped: nothing in it ends a field, a segment or the frame. HL7 v2.5 §2.7, §2.9 (both modes), §7.3;
Pure. R-E1, R-F5, R-H2.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.documents.codes import Failure
from gateway.documents.coherence import Enclosed
from gateway.documents.document import LOINC, Code, Identifier, Patient
from gateway.documents.ins import Register
from smtp.envelope import made_at
from smtp.reply import Reply

FILED = Reply(250, "2.0.0", "The software of that mailbox has filed it")
UNSOUND = Reply(451, "4.5.0", "The software of that mailbox gave an answer that is none")

_CONTROL = 20  # characters of MSH-10, in this version
_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"}
    | {chr(each): " " for each in (*range(32), 127)}
)
_SYSTEMS = {LOINC: "LN"}
_NAMES = {
    Register.NIR: "ASIP-SANTE-INS-NIR",
    Register.NIA: "ASIP-SANTE-INS-NIA",
    Register.TEST: "ASIP-SANTE-INS-NIR",
    Register.DEMONSTRATION: "ASIP-SANTE-INS-NIR",
}
_NUMBER = re.compile(r"(?:^|[\^&~])\s*([0-9]{3})(?![0-9])")
_POSITIVE, _ERROR, _REJECT = (
    frozenset({"AA", "CA"}),
    frozenset({"AE", "CE"}),
    frozenset({"AR", "CR"}),
)
_WORDS = {  # table HL70357
    100: "the segments are in another order than it wants",
    101: "a field that it needs is missing",
    102: "a field is of another type than it wants",
    103: "a code is none of its table",
    200: "it takes no messages of this type",
    201: "it takes no messages about this event",
    202: "it takes no messages for this purpose",
    203: "it takes another version of HL7",
    204: "it does not know what the message is about",
    206: "its record is locked",
    207: "it has an error of its own",
}
_DUPLICATE = 205
_PASSING = frozenset({206, 207})


@dataclass(frozen=True, slots=True)
class Ends:
    """Who sends, and to whom, as the header of a message names them (MSH-3 to MSH-6)."""

    ours: str
    application: str = ""
    facility: str = ""
    twice: bool = False  # it says first that it has the message, then what it made of it


def control(id_: str) -> str:
    """Return what a message is known by there: the same at every attempt."""
    return id_[-_CONTROL:]


def write(documents: tuple[Enclosed, ...], id_: str, ends: Ends) -> bytes:
    """Return the message that carries these documents."""
    at = datetime.fromtimestamp(made_at(id_), UTC)
    names = [_text(each) for each in ("SCEAU", ends.ours, ends.application, ends.facility)]
    head = ["MSH", "^~\\&", *names, f"{at:%Y%m%d%H%M%S}+0000", "", "ORU^R01^ORU_R01"]
    asked = "AL" if ends.twice else ""  # enhanced mode; without either, the original one
    head += [control(id_), "P", "2.5", "", "", asked, asked, "FRA", "UNICODE UTF-8"]
    lines = ["|".join(head)]
    for number, each in enumerate(documents, 1):
        lines += _group(number, each)
    return "".join(f"{line}\r" for line in lines).encode()


def _group(number: int, one: Enclosed) -> Iterator[str]:
    document = one.document
    what = _code(document.code)
    at = _text(document.performed or document.at)
    yield _patient(document.patient)
    order = ["OBR", str(number), "", _identifier(document.id), what, "", "", at]
    yield "|".join([*order, *[""] * 14, _text(document.at), "", "", "F"])
    files = [("text", "XML", one.content)]
    if document.pdf is not None:
        files.append(("application", "pdf", document.pdf))
    for place, (kind, form, content) in enumerate(files, 1):
        coded = base64.b64encode(content).decode()
        value = f"^{kind}^{form}^Base64^{coded}"
        yield "|".join(["OBX", str(place), "ED", what, str(place), value, *[""] * 5, "F"])


def _patient(patient: Patient) -> str:
    traits = patient.traits
    numbers = "~".join(_numbered(each) for each in patient.identifiers)
    name = f"{_text(traits.name)}^{_text(traits.given)}^^^^^L"
    return "|".join(["PID", "1", "", numbers, "", name, "", _text(traits.born), _text(traits.sex)])


def _numbered(each: Identifier) -> str:
    register = next((one for one in Register if one.value == each.root), None)
    name, kind = (_NAMES[register], "INS") if register else ("", "PI")
    return f"{_text(each.extension)}^^^{name}&{_text(each.root)}&ISO^{kind}"


def _identifier(each: Identifier) -> str:
    number, root = (each.extension, each.root) if each.extension else (each.root, each.root)
    return f"{_text(number)}^^{_text(root)}^ISO"


def _code(code: Code) -> str:
    return (
        f"{_text(code.code)}^{_text(code.display)}^{_text(_SYSTEMS.get(code.system, code.system))}"
    )


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def committed(acknowledgement: bytes, id_: str) -> bool:
    """Whether it says no more than that the program has the message, and its answer still comes."""
    said = _segments(acknowledgement.decode("utf-8", "replace")).get("MSA", [])
    return said[1:3] == ["CA", control(id_)]


def answered(acknowledgement: bytes, id_: str, *, again: bool) -> Reply:
    """Return what an acknowledgement says of the message; it never repeats its words.

    They may name the patient. An error is the message's fault and final, a rejection is not, unless
    its code says otherwise.
    """
    segments = _segments(acknowledgement.decode("utf-8", "replace"))
    said = segments.get("MSA", [])
    if len(said) < 3 or said[2] != control(id_):
        return UNSOUND
    if said[1] in _POSITIVE:
        return FILED
    if said[1] not in _ERROR | _REJECT:
        return UNSOUND
    codes = list(_codes(segments))
    if again and _DUPLICATE in codes:
        return FILED  # an attempt before this one got there
    return _refusal(codes, rejected=said[1] in _REJECT)


def failed(failure: Failure) -> Reply:
    """Return the refusal that bears one of the numbers which programs exchange (R-F5)."""
    return Reply(554, "5.6.0", f"The software could not file it: {failure:d} {failure.english}")


def _refusal(codes: list[int], *, rejected: bool) -> Reply:
    numbers = {each.value for each in Failure}
    if (ours := next((each for each in codes if each in numbers), None)) is not None:
        return failed(Failure(ours))
    code = next((each for each in codes if each in _WORDS), None)
    if code is None:
        return _put_off("it rejected it for now") if rejected else failed(Failure.OTHER)
    if code in _PASSING:
        return _put_off(f"{code} {_WORDS[code]}")
    return Reply(554, "5.6.0", f"The software could not file it: {code} {_WORDS[code]}")


def _put_off(why: str) -> Reply:
    return Reply(451, "4.3.0", f"The software of that mailbox did not take it: {why}")


def _segments(text: str) -> dict[str, list[str]]:
    """Return the fields of the first segment of each kind; nothing if it is no message."""
    lines = re.split(r"[\r\n]+", text.strip("\r\n"))
    if not lines[0].startswith("MSH") or len(lines[0]) < 4:
        return {}
    found: dict[str, list[str]] = {}
    for line in lines[1:]:
        fields = line.split(lines[0][3])
        found.setdefault(fields[0], fields)
    return found


def _codes(segments: dict[str, list[str]]) -> Iterator[int]:
    """Yield the numbers where versions of HL7 put them: ERR-3, ERR-5, ERR-1, MSA-6, MSA-3."""
    error, said = segments.get("ERR", []), segments["MSA"]
    for fields, place in ((error, 3), (error, 5), (error, 1), (said, 6), (said, 3)):
        if place < len(fields):
            yield from map(int, _NUMBER.findall(fields[place]))
