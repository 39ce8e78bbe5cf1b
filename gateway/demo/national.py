"""A national list as the health administration publishes it, made up from end to end.

Its shape and size are those of the real one: signed XML, 6,494 entries for 4,944 domains and 391
operators, some of whose names are written in every way that a comparison of strings gets wrong.
Domains, organisations and contacts are invented. Tests, benchmarks and the demonstration share it.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from gateway.demo.health import Holder

NAMESPACE = "https://listeblanche.mssante.fr/schema"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"

ENTRIES = 6494
SHARES = (3880, 710, 247, 103, 4)  # domains with one, two, three, four, five operators

# Each written as in the real list: in quotes because of a double or a no-break space, with quotes
# of its own, or with both spellings at once; (CN, OU, what stands after O=).
_TRAPS = (
    ("mss1.essai.example", "1990000001", '"HOPITAL  SAINT ESSAI DES SABLES"'),
    ("mss2.essai.example", "1990000002", '"CENTRE\u00a0 DE L\'ESSAI"'),
    ("mss3.essai.example", "1990000003", '"CLINIQUE  DU  PORT"'),
    ("mss4.essai.example", "1990000004", '"POLYCLINIQUE\u00a0\u00a0DES ALPILLES"'),
    ("mss5.essai.example", "1990000005", '"LABORATOIRE  ÉLÉMENTAIRE"'),
    ("mss6.essai.example", "1990000006", '"MAISON DE SANTE  NORD"'),
    ("mss7.essai.example", "1990000007", 'CENTRE "PAUL ESSAI"'),
    ("mss8.essai.example", "1990000008", 'CENTRE HOSPITALIER "ESSAI-JOLY"'),
    ("mss8.essai.example", "1990000008", '"CENTRE HOSPITALIER \\"ESSAI-JOLY\\""'),
)
LARGE = 1027  # domains of the largest operator
_OPERATORS = 391
_LARGEST = 20
_SMALL = 263  # operators with one domain each
_ACCENTED = 37  # organisations: their operators and the traps make 69 that are not ASCII
_ORGANISATIONS = 342 - len(_TRAPS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``Domaine`` of the list: a domain and one operator who may speak for it."""

    domain: str
    operator: str  # the distinguished name, as written

    def xml(self, number: int) -> str:
        """Return the element, with contacts of nobody."""
        children = {
            "Nom": self.domain,
            "Description": f"Domaine d'essai {number}",
            "DNCertificatOperateur": self.operator,
            "ResponsableContact": f"Prénom{number} NOM, 01 99 00 {number // 100:02} {number % 100:02}",
            "SupportContact": f"support{number}@essai.example",
            "DateMAJ": "2025-02-28T15:42:07Z",
        }
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in children.items())
        return f"<Domaine>{inner}</Domaine>"


def operators() -> tuple[str, ...]:
    """Return the names of all operators, each in the spelling of its own."""
    return tuple(_operators())


def _operators() -> Iterator[str]:
    for common_name, unit, organisation in _TRAPS:
        yield f"CN={common_name},OU={unit},O={organisation},ST=Essai (99),C=FR"
    for number in range(len(_TRAPS), _OPERATORS):
        shared = number % _ORGANISATIONS
        accents = "ÉTABLISSEMENT FRANÇAIS" if shared < _ACCENTED else "ETABLISSEMENT"
        unit = f"1{990000000 + shared}" if shared % 3 else f"3{99000000000000 + shared}"
        place = "L=Essai" if number == _OPERATORS - 1 else "ST=Essai (99)"
        yield f"CN=mss{number}.essai.example,OU={unit},O={accents} {shared},{place},C=FR"


def entries() -> tuple[Entry, ...]:
    """Return all entries: domains with one to five operators, a few of them written twice.

    One operator has 1,027 domains, two thirds have a single one, the others share the rest.
    """
    names = operators()
    alone = iter((names[_LARGEST],) * LARGE + names[-_SMALL:])
    others = [name for name in names[:-_SMALL] if name != names[_LARGEST]]
    found: list[Entry] = []
    number = 0
    for count, domains in enumerate(SHARES, 1):
        for _ in range(domains):
            domain = "patient.essai.example" if number == 0 else f"d{number}.essai.example"
            shared = [others[(number + 7 * n) % len(others)] for n in range(count)]
            only = next(alone, None)
            found += [Entry(domain, name) for name in ([only] if only else shared)]
            number += 1
    return (*found, *found[: ENTRIES - len(found)])


def moved(listed: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the list of the day on which the largest operator hands its 1,027 domains over."""
    names = operators()
    return tuple(
        Entry(each.domain, names[0]) if each.operator == names[_LARGEST] else each
        for each in listed
    )


def document(listed: Sequence[Entry], generated: datetime) -> bytes:
    """Return the list before it is signed."""
    body = "\n".join(entry.xml(number) for number, entry in enumerate(listed))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListeBlancheMSSante xmlns="{NAMESPACE}">'
        f"<DateDeGeneration>{generated:%Y-%m-%dT%H:%M:%SZ}</DateDeGeneration>"
        f"<ListeDomaines>{body}</ListeDomaines></ListeBlancheMSSante>"
    ).encode()


def signed(content: bytes, signer: Holder, *others: bytes, template: str = "") -> bytes:
    """Return the list with an enveloped signature; ``others`` are certificates (DER) to go along.

    With another template for the signature the result is well signed, and not as the real one is.
    """
    root = etree.fromstring(content)
    digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
    certificates = "".join(
        f"<X509Certificate>{base64.b64encode(der).decode()}</X509Certificate>"
        for der in (signer.der, *others)
    )
    written = (template or SIGNATURE).format(digest=digest, certificates=certificates)
    signature = etree.fromstring(written)
    root.append(signature)
    over = _canonical(signature[0])
    value = signer.key.sign(over, padding.PKCS1v15(), hashes.SHA256())
    signature[1].text = base64.b64encode(value).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


SIGNATURE = f"""\
<Signature xmlns="{DSIG}"><SignedInfo>\
<CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>\
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>\
<Reference URI=""><Transforms>\
<Transform Algorithm="{DSIG}enveloped-signature"/><Transform Algorithm="{EXCLUSIVE}"/>\
</Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>\
<DigestValue>{{digest}}</DigestValue></Reference></SignedInfo><SignatureValue/>\
<KeyInfo><X509Data>{{certificates}}</X509Data></KeyInfo></Signature>"""
