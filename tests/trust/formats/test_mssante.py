"""MSSanté's signed list: read from what was signed, domain by domain, as the real one is written."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo import national
from gateway.demo.national import Entry
from tests.trust.national import (
    CHU,
    ENTRIES,
    LABO,
    MAX_AGE,
    authority,
    document,
    signed,
    signer,
    white_list,
)
from tests.trust.simulator import NOW
from trust.errors import ListError, SignerError, TrustError
from trust.formats import mssante
from trust.identity import Certificate, Identity, Way
from trust.members import Claims, Member
from trust.signatures.signers import unsigned
from trust.verification import Offer


def claims(content: bytes = b"") -> Claims:
    """What a list claims that went the whole way."""
    form = white_list()
    return form.read(form.verify(Offer(content or signed()), NOW), NOW)


def read(content: bytes) -> Claims:
    """What bytes claim, as if they had been signed."""
    return white_list().read(unsigned(content), NOW)


def test_a_list() -> None:
    """Domains with all their operators, open, without hosts; dated, without a number."""
    found = claims()
    labo, chu = Identity(Way.DN, LABO), Identity(Way.DN, CHU)
    members = (Member("chu.example", (chu, labo)), Member("labo.example", (labo,)))
    assert Claims(None, NOW, NOW + MAX_AGE, None, members) == found
    assert [(), ()] == [member.hosts for member in found.members]
    assert all(member.open for member in found.members)


def test_only_canonical_bytes_are_read() -> None:
    """What is handed to the reader has no signature, and is what the signer's digest covers."""
    verified = white_list().verify(Offer(signed()), NOW)
    assert b"Signature" not in bytes(verified.content)
    assert read(bytes(verified.content)) == claims()


def test_people_are_left_where_they_are() -> None:
    """Names and telephones of the list are in nothing that we make of it (R-C8)."""
    assert b"Pr\xc3\xa9nom0 NOM" in signed()
    assert "NOM" not in repr(claims())


def test_another_signer() -> None:
    """Whoever else holds a certificate of that authority cannot sign the list."""
    for other in (
        signer("alb.autre.example"),
        authority().gateway("mss.labo.example", "LABO", "1990000001"),
    ):
        with pytest.raises(SignerError):
            claims(signed(holder=other))


def test_a_list_expires_by_the_operators_rule() -> None:
    """The format has no expiry: its date and the longest age that the operator accepts."""
    generated = datetime(2026, 11, 20, 8, 30, 5, tzinfo=UTC)
    found = claims(signed(document(generated=generated)))
    assert (generated, generated + MAX_AGE) == (found.issued, found.stale_after)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-22T12:00:00Z", NOW),
        ("2026-11-22T12:00:00.75Z", NOW),
        ("2026-11-22T13:00:00+01:00", NOW),
        (" 2026-11-22T12:00:00Z\n", NOW),
        ("2026-11-22T12:00:00", None),
        ("2026-11-22", None),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59Z", None),
    ],
)
def test_dates(written: str, meant: datetime | None) -> None:
    """A moment, in whichever zone it is written; without one it is none."""
    content = document().replace(b"2026-11-22T12:00:00Z", written.encode())
    if meant:
        assert meant == read(content).issued
    else:
        with pytest.raises(ListError):
            read(content)


# Names of operators, as the real list writes them; each has the certificate of the name meant.

TRAPS = [
    ('"HOPITAL  SAINT ESSAI"', "HOPITAL  SAINT ESSAI"),
    ('"HOPITAL  SAINT ESSAI"', "HOPITAL SAINT ESSAI"),
    ("HOPITAL SAINT ESSAI", "HOPITAL  SAINT ESSAI "),
    ('"CLCC\u00a0 INSTITUT ESSAI"', "CLCC\u00a0 INSTITUT ESSAI"),
    ('"CLCC\u00a0 INSTITUT ESSAI"', "CLCC INSTITUT ESSAI"),
    ('CRLCC "PAUL ESSAI"', 'CRLCC "PAUL ESSAI"'),
    ('CENTRE HOSPITALIER "ESSAI-JOLY"', 'CENTRE HOSPITALIER "ESSAI-JOLY"'),
    ('"CENTRE HOSPITALIER \\"ESSAI-JOLY\\""', 'CENTRE HOSPITALIER "ESSAI-JOLY"'),
    ('"CENTRE HOSPITALIER "ESSAI-JOLY""', 'CENTRE HOSPITALIER "ESSAI-JOLY"'),
    ("HÔPITAL D'ESSAI", "HO\u0302PITAL D'ESSAI"),
    ("Hôpital d'Essai", "HÔPITAL D'ESSAI"),
    ("R&D ESSAI", "R&D ESSAI"),
    ("ESSAI <NORD>", "ESSAI <NORD>"),
    ('"ESSAI, NORD; SUD"', "ESSAI, NORD; SUD"),
    ("ESSAI\\, NORD", "ESSAI, NORD"),
]


@pytest.mark.parametrize(("written", "meant"), TRAPS)
def test_operators_are_known_by_meaning(written: str, meant: str) -> None:
    """Quotes, spaces, accents and their order say nothing about who it is."""
    gateway = authority().gateway("mss.essai.example", meant, "1990000009")
    certificate = Certificate.parse(gateway.der)
    for name in (
        f"CN=mss.essai.example,OU=1990000009,O={written},ST=Essai (99),C=FR",
        f"C=FR, ST=Essai (99), O={written}, OU=1990000009, CN=mss.essai.example",
    ):
        (member,) = claims(signed(document(Entry("essai.example", name)))).members
        assert member.entitles(certificate)
    other = authority().gateway("mss.essai.example", meant, "1990000008")
    assert not member.entitles(Certificate.parse(other.der))


def test_a_domain_listed_several_times() -> None:
    """Its operators are merged; two spellings of one are one."""
    quoted = 'CN=m,O="CH "ESSAI""'
    entries = [
        Entry("Labo.Example", LABO),
        Entry(" labo.example", CHU),
        Entry("labo.example", LABO),
    ]
    entries += [Entry("labo.example", quoted), Entry("labo.example", 'CN=m,O=CH "ESSAI"')]
    (member,) = read(document(*entries)).members
    assert {Identity(Way.DN, each) for each in (LABO, CHU, quoted)} == set(member.identities)


@pytest.mark.parametrize(
    "entry",
    [
        Entry("labo", LABO),
        Entry("*.example", LABO),
        Entry("", LABO),
        Entry("autre.example", ""),
        Entry("autre.example", "LABO"),
        Entry("autre.example", "CN=mss,X=y"),
    ],
)
def test_an_entry_that_names_nobody(entry: Entry) -> None:
    """It grants nothing, takes nothing from the others, and the operator is told."""
    found = read(document(*ENTRIES, entry))
    assert {"chu.example", "labo.example"} == {member.domain for member in found.members}
    assert [repr(entry.domain) in remark for remark in found.remarks] == [True]


def test_remarks_are_few() -> None:
    """A list that is bad throughout does not flood the journal."""
    found = read(document(*ENTRIES, *[Entry(f"d{n}.example", "?") for n in range(100)]))
    assert 20 == len(found.remarks)


def test_an_empty_list() -> None:
    """Nobody at all is no list (R-C4)."""
    for entries in ((Entry("labo", LABO),), (Entry("x.example", "?"),)):
        with pytest.raises(ListError, match="without members"):
            read(document(*entries))


def edited(find: str, replace: str) -> bytes:
    whole = document().decode()
    assert find in whole
    return whole.replace(find, replace, 1).encode()


ODD = {
    "another root": b"<html/>",
    "no namespace": document().replace(b' xmlns="https://listeblanche.mssante.fr/schema"', b""),
    "another namespace": document().replace(b"listeblanche.mssante.fr/schema", b"x.example/"),
    "an entry elsewhere": edited("<Domaine>", '<Domaine xmlns="urn:x">'),
    "a name elsewhere": edited("<Nom>", '<Nom xmlns="urn:x">'),
    "no date": edited("<DateDeGeneration>2026-11-22T12:00:00Z</DateDeGeneration>", ""),
    "two dates": edited("<ListeDomaines>", "<DateDeGeneration/><ListeDomaines>"),
    "two lists": edited("</ListeDomaines>", "</ListeDomaines><ListeDomaines/>"),
    "a signature still there": edited("</ListeDomaines>", "</ListeDomaines><Signature/>"),
    "something else within": edited("<ListeDomaines>", "<ListeDomaines><Autre/>"),
    "a missing child": edited("<Description>Domaine d'essai 0</Description>", ""),
    "a second name": edited("<Nom>", "<Nom>mal.example</Nom><Nom>"),
    "a name for another child": edited("<Description>Domaine d'essai 0</Description>", "<Nom/>"),
    "an unknown child": edited("<Description>Domaine d'essai 0</Description>", "<Autre/>"),
    "one child more": edited("</Domaine>", "<Autre/></Domaine>"),
    "elements in a name": edited("labo.example", "labo<b>.example</b>"),
    "an attribute": edited("<Nom>", '<Nom domaine="mal.example">'),
    "an attribute of the whole": edited("<ListeBlancheMSSante", '<ListeBlancheMSSante version="2"'),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD.keys())
def test_other_documents(content: bytes) -> None:
    """Signed or not: two elements for a date, six for an entry, and no others."""
    with pytest.raises(ListError):
        read(content)
    with pytest.raises(TrustError):
        claims(signed(content))


def test_what_a_document_may_have_besides() -> None:
    """Prefixes, white space, the children in another order, where its schema lies."""
    loose = (
        '<l:ListeBlancheMSSante xmlns:l="https://listeblanche.mssante.fr/schema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">\n'
        "<l:DateDeGeneration>2026-11-22T12:00:00Z</l:DateDeGeneration>\n<l:ListeDomaines>\n"
        "<l:Domaine>\n <l:DateMAJ/><l:Nom>labo.example</l:Nom><l:ResponsableContact/>"
        f"<l:SupportContact/><l:Description/><l:DNCertificatOperateur>{LABO}"
        "</l:DNCertificatOperateur></l:Domaine></l:ListeDomaines></l:ListeBlancheMSSante>"
    )
    (member,) = claims(signed(loose.encode())).members
    assert Member("labo.example", (Identity(Way.DN, LABO),)) == member


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_entry(domain: str, operator: str) -> None:
    """A member, a remark, or our error, whatever is written."""
    with suppress(TrustError):
        found = read(document(*ENTRIES, Entry(domain, operator)))
        assert len(found.members) + len(found.remarks) >= 2


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    """Claims or our error."""
    with pytest.raises(TrustError):
        read(content)
    with pytest.raises(TrustError):
        claims(content or b" ")


# Of the real size.


@cache
def whole() -> bytes:
    return signed(national.document(national.entries(), NOW))


def test_the_real_shape_and_size() -> None:
    """6,494 entries, 4,944 domains, 391 operators' names of which two are spellings of one."""
    found = claims(whole())
    operators = {identity.mark for member in found.members for identity in member.identities}
    several = sum(len(member.identities) > 1 for member in found.members)
    assert (6494, 4944, 390) == (whole().count(b"<Domaine>"), len(found.members), len(operators))
    assert 1000 < several < 1065
    assert () == found.remarks
    assert len(whole()) < mssante.LIMIT


async def test_it_is_read_beside_the_loop() -> None:
    """The loop goes on meanwhile; how long it waits at most is measured by ``make bench``."""
    turns = 0
    work = asyncio.ensure_future(asyncio.to_thread(claims, whole()))
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    assert 4944 == len((await work).members)
    assert turns > 100
