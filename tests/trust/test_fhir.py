"""The FHIR API's answers: whose mailboxes they name, and where they go on."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import parse
from tests.trust.extraction import finess, rpps
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory
from trust.directory.report import Report
from trust.errors import ListError
from trust.formats import fhir

PERSON = {"system": fhir.PEOPLE, "value": f"8{rpps(7)}"}
STRUCTURE = {"system": fhir.STRUCTURES, "value": f"1{finess(3)}"}


def mailbox(address: str, **told: object) -> dict[str, Any]:
    """A ``telecom`` as the implementation guide's examples have it."""
    parts: list[dict[str, object]] = []
    if "kind" in told:
        concept = {"coding": [{"system": fhir.KINDS, "code": told["kind"]}]}
        parts.append({"url": "type", "valueCodeableConcept": concept})
    if "hidden" in told:
        parts.append({"url": "listeRouge", "valueBoolean": told["hidden"]})
    if "service" in told:
        parts.append({"url": "service", "valueString": told["service"]})
    return {
        "system": "email",
        "value": address,
        "extension": [{"url": fhir.METADATA, "extension": parts}],
    }


ZOE = {
    "resourceType": "Practitioner",
    "id": "003-7",
    "meta": {"lastUpdated": "2026-11-22T08:00:00Z"},
    "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": rpps(7)}, PERSON],
    "name": [{"prefix": ["DR"], "given": ["Zoé"], "family": "BARBER"}],
    "qualification": [{"code": {"coding": [{"code": "10"}, {"display": "Médecin"}]}}],
    "telecom": [
        {"system": "phone", "value": "0383000000"},
        {"system": "email", "value": "zoe@home.example"},
        mailbox("zoe@chu.example", kind="PER", hidden=False),
    ],
}
CHU = {
    "resourceType": "Organization",
    "id": "001-3",
    "identifier": [STRUCTURE],
    "name": "CHU D'ÉVREUX",
    "telecom": [
        mailbox("cardio@chu.example", kind="ORG", service="CARDIOLOGIE"),
        mailbox("machine@chu.example", kind="APP", hidden=True),
    ],
}
ROLE = {
    "resourceType": "PractitionerRole",
    "id": "005-1",
    "practitioner": {"reference": "Practitioner/003-7"},
    "organization": {"reference": "Organization/001-3"},
    "telecom": [mailbox("zoe.barber@chu.example")],
}


def answer(*resources: object, following: str = "") -> bytes:
    links = [{"relation": "self", "url": "https://api.example/now"}]
    if following:
        links.append({"relation": "next", "url": following})
    entries = [{"resource": each} for each in resources]
    return msgspec.json.encode(
        {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
    )


def read(content: bytes) -> tuple[Entry, ...]:
    return fhir.page(content, Report()).entries


def test_a_person() -> None:
    """A practitioner's mailboxes are theirs; ordinary addresses are no mailboxes."""
    wanted = Entry(
        parse("zoe@chu.example"), Kind.PER, f"rpps:{rpps(7)}", "", "DR Zoé BARBER", "Médecin"
    )
    assert (wanted,) == read(answer(ZOE))


def test_an_organisation() -> None:
    """A structure's mailboxes are its own, each with its kind, its service, and *liste rouge*."""
    chu = f"finess:{finess(3)}"
    cardio, machine = read(answer(CHU))

    assert (Kind.ORG, chu, "CHU D'ÉVREUX", "CARDIOLOGIE", False) == (
        cardio.kind, cardio.organisation, cardio.structure, cardio.service, cardio.hidden
    )  # fmt: skip
    assert (Kind.APP, True) == (machine.kind, machine.hidden)


def test_a_person_in_an_organisation() -> None:
    """A mailbox of somebody's post is the person's, and says where."""
    found = {entry.address: entry for entry in read(answer(ROLE, ZOE, CHU))}
    entry = found[parse("zoe.barber@chu.example")]

    assert (f"rpps:{rpps(7)}", f"finess:{finess(3)}") == (entry.person, entry.organisation)
    assert ("DR Zoé BARBER", "CHU D'ÉVREUX", Kind.PER) == (entry.name, entry.structure, entry.kind)


def test_a_post_whose_person_was_not_sent() -> None:
    """What is not on the page is not known; the mailbox is."""
    (entry,) = read(answer({**ROLE, "organization": None}))

    assert ("", "", "") == (entry.person, entry.organisation, entry.name)


def test_without_a_kind() -> None:
    """An organisation's mailbox is an organisation's, unless it says otherwise."""
    typed = {"url": fhir.EMAIL_TYPE, "valueCoding": {"code": "MSSANTE"}}
    contact = {"system": "email", "value": "x@chu.example", "extension": [typed]}
    (entry,) = read(answer({**CHU, "telecom": [contact]}))

    assert Kind.ORG == entry.kind


def test_a_name_as_text() -> None:
    """A person's name may be one text."""
    (entry,) = read(answer({**ZOE, "name": [{"text": "Zoé BARBER"}]}))

    assert "Zoé BARBER" == entry.name


@pytest.mark.parametrize(
    ("resource", "fault"),
    [
        ({**ZOE, "telecom": [mailbox("nobody")]}, "address"),
        ({**ZOE, "telecom": [mailbox("x@chu.example", kind="XYZ")]}, "kind"),
        ({**ZOE, "identifier": [{**PERSON, "value": "810003456789"}]}, "person"),
        ({**ZOE, "telecom": "none"}, "form"),
    ],
)
def test_what_is_left_out(resource: object, fault: str) -> None:
    """One wrong mailbox says nothing of the others."""
    report = Report()
    found = fhir.page(answer(resource, CHU), report).entries

    assert 2 == len(found)
    assert (3, {fault: 1}) == (report.rows, report.left_out)


def test_where_it_goes_on() -> None:
    """A page names the next one, the last none."""
    assert "" == fhir.page(answer(ZOE), Report()).next
    assert "https://x/2" == fhir.page(answer(ZOE, following="https://x/2"), Report()).next


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b'{"resourceType": "OperationOutcome"}', b"[" * 5000, b"\xff"],
)
def test_what_is_no_answer(content: bytes) -> None:
    """What is no Bundle ends the reading: the last directory stays."""
    with pytest.raises(ListError):
        read(content)


def test_an_endless_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has its limit."""
    monkeypatch.setattr(fhir, "PAGE", 100)
    with pytest.raises(ListError, match="larger"):
        read(answer(ZOE))


def test_a_harvest() -> None:
    """Many pages become one directory."""
    harvest = fhir.Harvest()

    assert "https://x/2" == harvest.add(answer(ROLE, ZOE, following="https://x/2"))
    assert "" == harvest.add(answer(CHU, ZOE))
    made = Directory(fhir.build(*harvest.finish()))
    assert 4 == len(made)
    assert "5 rows, 1 left out (repeated 1)" == str(made.report)


def test_what_we_publish_can_be_read() -> None:
    """What we say of our mailboxes is what a reader of the API understands."""
    ours = (
        Entry(parse("a@chu.example"), Kind.PER, f"rpps:{rpps(7)}", "", "Zoé BARBER"),
        Entry(
            parse("b@chu.example"), Kind.ORG, "", f"finess:{finess(3)}", "", "", "CHU", "URGENCES"
        ),
        Entry(parse("c@chu.example"), Kind.CAB, f"rpps:{rpps(8)}", hidden=True),
        Entry(parse("d@chu.example"), Kind.ORG),
    )
    assert ours == read(fhir.bundle(ours))


json = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "telecom", "extension", "identifier", "name", "url", "value"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(json, max_size=3).map(lambda resources: answer(*resources)) | st.binary(max_size=99)
)
def test_any_answer(content: bytes) -> None:
    """Any octets are a page or our error."""
    try:
        found = fhir.page(content, Report())
    except ListError:
        return
    assert isinstance(found.entries, tuple)
