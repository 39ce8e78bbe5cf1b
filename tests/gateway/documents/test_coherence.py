"""A mail and its document, held against each other: each contradiction by its own name."""

import base64
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import cda, cda_writer, coherence, packing, xdm
from gateway.documents.coherence import Citizens
from gateway.documents.document import (
    PEOPLE,
    STRUCTURES,
    Code,
    Document,
    Identifier,
    Organisation,
    Patient,
)
from gateway.documents.ins import Traits
from gateway.documents.packing import Parcel
from quarantine.reasons import REASONS
from smtp.address import Address
from tests.gateway.documents.made import (
    BIOLOGIST,
    DOCTOR,
    EXAMPLES,
    NUMBER,
    PATIENT,
    PDF,
    SENDER,
    TRAITS,
    Letter,
    document,
    parcel,
)

CITIZEN = Address("279035121518989@patient.mssante.fr")
OTHER = Address("277076322082910@patient.mssante.fr")


def _found(message: bytes, *recipients: Address) -> list[str]:
    letter = Letter(message, recipients or (DOCTOR,))
    return [each.reason for each in coherence.findings(letter)]


def _packed(made: Document, **changes: object) -> bytes:
    return packing.pack(replace(parcel(made), **changes), SENDER)  # type: ignore[arg-type]


def _as(patient: Patient) -> bytes:
    return _packed(document(patients=(patient,)))


def _also(message: bytes, kind: bytes, content: bytes, name: bytes = b"x") -> bytes:
    """Return the mail with one part more."""
    head, boundary = message.split(b'boundary="', 1)[0], message.split(b'boundary="', 1)[1][:34]
    del head
    part = b"--%s\r\nContent-Type: %s; name=%s\r\n\r\n%s\r\n" % (boundary, kind, name, content)
    last = b"--%s--" % boundary
    return message.replace(last, part + last)


def test_what_we_pack_contradicts_nothing() -> None:
    """Our own mail, to a professional and to the patient."""
    assert [] == _found(_packed(document()), DOCTOR, CITIZEN)


def test_an_ordinary_mail_is_none_of_our_business() -> None:
    """No document and none announced: nothing to say, whatever else lies in it."""
    mail = b"Subject: Bonjour\r\nContent-Type: text/plain\r\n\r\nPK <ClinicalDoc\r\n"
    assert [] == _found(mail)


OTHERS = Identifier(NUMBER.root, "277076322082910")
_TEST = Identifier("1.2.250.1.213.1.4.10", NUMBER.extension)

CASES: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "another code announced": (
        lambda: _packed(document()).replace(b"CODECDA: 11502-2", b"CODECDA: 18748-4"),
        ["document-code-differs"],
    ),
    "no code announced": (
        lambda: _packed(document()).replace(b"X-MSS-CODECDA: 11502-2\r\n", b""),
        ["document-code-differs"],
    ),
    "announced and absent": (
        lambda: b"X-MSS-CODECDA: 11502-2\r\n\r\nbonjour",
        ["document-missing"],
    ),
    "subject without document": (
        lambda: b"Subject: XDM/1.0/DDM+TSH\r\n\r\nbonjour",
        ["document-missing"],
    ),
    "subject of another": (
        lambda: _packed(document()).replace(b"01/03/1979", b"02/03/1979"),
        ["subject-differs"],
    ),
    "no PDF": (
        lambda: (
            _packed(document())
            .replace(b"application/pdf", b"application/octet-stream")
            .replace(base64.encodebytes(PDF).replace(b"\n", b"\r\n"), b"QUJD\r\n")
        ),
        ["pdf-missing"],
    ),
    "no INS": (
        lambda: _as(Patient((Identifier("1.2.3", "7"),), TRAITS)),
        ["ins-missing", "patient-differs"],
    ),
    "wrong key": (
        lambda: _as(Patient((Identifier(NUMBER.root, "279035121518988"),), TRAITS)),
        ["ins-invalid"],
    ),
    "announced as qualified": (
        lambda: _as(Patient((NUMBER,), replace(TRAITS, place=""))).replace(b"INS: N", b"INS: O"),
        ["ins-not-qualified"],
    ),
    "not announced as qualified": (
        lambda: _packed(document()).replace(b"INS: O", b"INS: N"),
        ["ins-not-declared"],
    ),
    "a man's number": (
        lambda: _as(Patient((NUMBER,), replace(TRAITS, sex="M"))),
        ["ins-unlike-traits"],
    ),
    "made up": (lambda: _as(Patient((_TEST,), TRAITS)), ["test-identity"]),
    "two patients in one document": (
        lambda: _packed(document(patients=(PATIENT, Patient((OTHERS,), TRAITS)))),
        ["several-patients", "ins-unlike-traits"],
    ),
    "two documents of two patients": (
        lambda: _also(
            _packed(document()),
            b"text/xml",
            cda_writer.write(
                document(patients=(Patient((OTHERS,), replace(TRAITS, born="19770714")),))
            ),
        ),
        ["subject-differs", "several-patients"],
    ),
    "two documents, one number, two births": (
        lambda: _also(
            _packed(document()),
            b"text/xml",
            cda_writer.write(document(patients=(Patient((NUMBER,), replace(TRAITS, name="X")),))),
        ),
        ["subject-differs", "patient-differs"],
    ),
    "wrong numbers of professionals": (
        lambda: _packed(
            document(
                authors=(
                    replace(
                        BIOLOGIST,
                        id=Identifier(PEOPLE, "810001234566"),
                        organisation=Organisation("L", Identifier(STRUCTURES, "1750000011")),
                    ),
                )
            )
        ),
        ["professional-number-wrong", "professional-number-wrong"],
    ),
    "an archive that is none": (
        lambda: _also(_packed(document()), b"application/zip", b"PK..IHE_XDM/..", b"a.zip"),
        ["document-unreadable"],
    ),
    "an archive in small letters that is none": (
        lambda: _also(_packed(document()), b"application/zip", b"PK..ihe_xdm/..", b"a.bin"),
        ["document-unreadable"],
    ),
    "named so, and no archive": (
        lambda: (
            b"Content-Type: application/zip; name=IHE_XDM.ZIP\r\nX-MSS-CODECDA: 1\r\n\r\nnothing"
        ),
        ["document-unreadable"],
    ),
    "a broken document": (
        lambda: b"Content-Type: text/xml\r\n\r\n<ClinicalDocument xmlns='urn:hl7-org:v3'>",
        ["document-unreadable"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_contradiction_has_its_name(name: str) -> None:
    """One thing wrong gives one finding, and none of the others (R-E5, R-E6, R-H4)."""
    make, expected = CASES[name]
    assert expected == _found(make())


def test_every_name_has_a_sentence() -> None:
    """What is found here operators and senders can read."""
    named = {reason for _, reasons in CASES.values() for reason in reasons}
    named |= {"recipient-not-patient", "visibility-forbidden", "metadata-differs"}
    assert named <= set(REASONS)


def test_a_citizen_gets_only_their_own() -> None:
    """A mail to somebody else's mailbox, or about somebody nobody can name, is found (R-G5)."""
    mail = _packed(document())
    assert [] == _found(mail, CITIZEN)
    assert ["recipient-not-patient"] == _found(mail, OTHER)
    assert ["recipient-not-patient"] == _found(mail, Address("x@patient.mssante.fr"))
    thirteen = Letter(mail, (Address("2790351215189@citoyens.example"),))
    assert () == coherence.findings(thirteen, Citizens("citoyens.example", 13))
    spelt = [Citizens("g.example", digits).address("2790351215189") for digits in (13, 15)]
    assert ["2790351215189@g.example", "279035121518989@g.example"] == spelt
    robot = Address("essai@citoyens.example")
    nobodys = Citizens("citoyens.example", services=frozenset({"essai@citoyens.example"}))
    assert () == coherence.findings(Letter(mail, (robot,)), nobodys)


def _kept(*codes: str) -> bytes:
    """Return a mail whose archive says that its document is kept from somebody."""
    sent = parcel()
    more = "".join(
        f'<Classification classificationScheme="urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"'
        f' nodeRepresentation="{each}"/>'
        for each in codes
    )
    return _repacked(
        sent, lambda about: about.replace("</ExtrinsicObject>", more + "</ExtrinsicObject>")
    )


def _repacked(sent: Parcel, change: Callable[[str], str]) -> bytes:
    """Return a mail with other metadata in its archive."""
    made = xdm.build(sent.content, sent.document, sent.recipients, sent.at, SENDER)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            if each.endswith("METADATA.XML"):
                content = change(content.decode()).encode()
            new.writestr(each, content)
    message = packing.pack(sent, SENDER)
    lines = [base64.encodebytes(each).replace(b"\n", b"\r\n") for each in (made, out.getvalue())]
    assert lines[0] in message
    before, after = lines
    return message.replace(before, after)


@pytest.mark.parametrize(
    ("code", "recipients", "found"),
    [
        ("INVISIBLE_PATIENT", (DOCTOR,), []),
        ("INVISIBLE_PATIENT", (CITIZEN,), ["visibility-forbidden"]),
        ("MASQUE_PS", (CITIZEN,), []),
        ("MASQUE_PS", (CITIZEN, DOCTOR), ["visibility-forbidden"]),
    ],
)
def test_nobody_gets_what_is_kept_from_them(
    code: str, recipients: tuple[Address, ...], found: list[str]
) -> None:
    """By what the archive's metadata say of its document (R-E9)."""
    assert found == _found(_kept(code), *recipients)


@pytest.mark.parametrize(
    ("old", "new", "reason", "detail"),
    [
        (NUMBER.extension, OTHERS.extension, "patient-differs", "2: patientId"),
        (
            'nodeRepresentation="11502-2"',
            'nodeRepresentation="18748-4"',
            "metadata-differs",
            "2: typeCode",
        ),
        ("PID-5|DESMAUX^", "PID-5|MARTINEAU^", "patient-differs", "2: name"),
        ('value="1.2.250.1.213.1.1.9^essai-1"', 'value="1.2"', "metadata-differs", "2: uniqueId"),
    ],
)
def test_an_archive_describes_what_is_in_it(old: str, new: str, reason: str, detail: str) -> None:
    """The software at the other end files by the metadata, people read the document."""
    letter = Letter(_repacked(parcel(), lambda about: about.replace(old, new)))
    (found,) = coherence.findings(letter)
    assert (reason, detail) == (found.reason, found.detail)


def test_a_hash_and_a_size_are_optional_and_count() -> None:
    """Other bytes than the metadata vouch for are told, together."""
    made = parcel()
    changed = replace(made, content=made.content + b"\n")
    about = _repacked(changed, lambda told: told.replace(f">{len(changed.content)}<", ">1<"))
    (found,) = coherence.findings(Letter(about))
    assert "2: size" == found.detail
    silent = _repacked(
        made,
        lambda told: told.replace('name="hash"', 'name="x"').replace('name="size"', 'name="y"'),
    )
    assert [] == _found(silent)


def test_no_finding_names_a_patient() -> None:
    """Findings tell parts and fields; who it is about stays in the mail (R-G6)."""
    for make, _ in CASES.values():
        for each in coherence.findings(Letter(make(), (OTHER,))):
            told = each.detail
            assert not any(word in told for word in ("DESMAUX", "NATHALIE", "279035", "1979"))


def test_one_document_twice_is_one() -> None:
    """In the archive and beside it: what is wrong with it is said once."""
    sent = parcel()
    message = _also(packing.pack(sent, SENDER), b"text/xml", sent.content)
    assert [] == _found(message)
    assert 1 == len(coherence.contents(Letter(message)).documents)


def test_what_is_not_a_document_in_an_archive_is_left_alone() -> None:
    """An archive may carry a PDF under its own entry."""
    made = _repacked(parcel(), lambda about: about)
    assert 1 == len(coherence.contents(Letter(made)).documents)
    assert "DOC0001.XML" in repr(coherence.contents(Letter(made)).documents[0])


def test_people_without_an_ins_are_told_apart_by_their_traits() -> None:
    """And where there are none, by their numbers."""
    one = Patient((Identifier("1.2", "1"),), Traits("A", "B", "19790301"))
    same = Patient((Identifier("1.2", "2"),), Traits("a", "b", "19790301"))
    assert "several-patients" not in _found(_packed(document(patients=(one, same))))
    nobody = (Patient((Identifier("1.2", "1"),)), Patient((Identifier("1.2", "2"),)))
    assert "several-patients" in _found(_packed(document(patients=nobody)))


def test_only_so_many_documents_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail with thousands costs no more than one with a few."""
    monkeypatch.setattr(coherence, "_MOST", 1)
    other = cda_writer.write(document(code=Code("18748-4")))
    message = _also(_packed(document()), b"text/xml", other)
    assert 1 == len(coherence.contents(Letter(message)).documents)


def test_who_has_no_national_number_has_none_that_is_wrong() -> None:
    """Software, establishments' own numbers, and registers we do not know."""
    made = document(
        authors=(
            replace(BIOLOGIST, id=None, organisation=None),
            replace(BIOLOGIST, id=Identifier("1.2", "7"), organisation=Organisation("x")),
            replace(
                BIOLOGIST,
                id=Identifier(PEOPLE, "578435954900010/1.2"),
                organisation=Organisation("x", Identifier("1.2", "7")),
            ),
        ),
    )
    assert [] == _found(_packed(made))
    least = b"<id root='1'/><code code='1'/><recordTarget><patientRole/></recordTarget>"
    bare = b"<ClinicalDocument xmlns='urn:hl7-org:v3'>" + least + b"</ClinicalDocument>"
    assert ["document-code-differs", "pdf-missing", "ins-missing"] == _found(
        b"Content-Type: text/xml\r\n\r\n" + bare
    )


def test_the_published_examples_are_coherent() -> None:
    """But for what is invented in them: identities for tests, numbers made up, no PDF in two."""
    invented = {"test-identity", "professional-number-wrong", "pdf-missing"}
    for path in sorted(EXAMPLES.glob("*.xml")):
        content = path.read_bytes()
        sent = replace(parcel(), content=content, document=cda.read(content))
        assert set(_found(packing.pack(sent, SENDER))) <= invented


@given(st.binary(max_size=200))
def test_any_mail_has_findings_and_no_error(noise: bytes) -> None:
    """Noise in a mail gives findings, never another error than those of the part's own reading."""
    whole = b"X-MSS-INS: O\r\nContent-Type: text/xml\r\n\r\n" + parcel().content
    place = 60 + len(noise) * 31 % 4000
    _found(whole[:place] + noise + whole[place:])
