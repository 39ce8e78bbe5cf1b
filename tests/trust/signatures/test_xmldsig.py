"""One shape of signed XML and no other; what comes out is what was signed, byte for byte."""

import base64
import hashlib
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gateway.demo.national import DSIG, EXCLUSIVE, SIGNATURE
from tests.trust.national import authority, document, signed, signer
from tests.trust.simulator import issued
from trust.errors import SignatureError
from trust.signatures import xmldsig
from trust.signatures.xmldsig import opened

GOOD = signed()
CANONICAL = ET.canonicalize(document().decode()).encode()
END = b"</ListeBlancheMSSante>"
EVIL = (
    b"<Domaine><Nom>mal.example</Nom><Description/><DNCertificatOperateur>CN=mal</DNCertificat"
    b"Operateur><ResponsableContact/><SupportContact/><DateMAJ/></Domaine>"
)


def test_what_was_signed_comes_out() -> None:
    """The canonical bytes that another implementation finds, and the certificate that signed."""
    found = opened(GOOD)
    assert CANONICAL == found.content
    assert signer().certificate == found.certificate


def test_others_may_come_along_in_any_order() -> None:
    """The signer is whose key it was; the others may lead to an anchor."""
    chain = (authority().organisations.der, authority().root.der)
    template = SIGNATURE.replace(
        "<X509Data>{certificates}",
        f"<X509Data><X509Certificate>{base64.b64encode(chain[0]).decode()}</X509Certificate>"
        "{certificates}",
    )
    found = opened(signed(template=template))
    assert signer().certificate == found.certificate
    assert (authority().organisations.certificate,) == found.others


def test_text_after_the_signature_was_signed_too() -> None:
    """Taking the signature out leaves the text around it, as the transform says."""
    loose = document().replace(END, b"\n  " + END)
    early = GOOD.replace(b"</Signature>", b"</Signature>\n  ")
    with pytest.raises(SignatureError, match="other bytes"):
        opened(early)
    assert ET.canonicalize(loose.decode()).encode() == opened(signed(loose)).content


def test_a_signature_alone_in_its_root() -> None:
    """Nothing before it, text after it."""
    made = signed(b"<a xmlns='urn:x'>text</a>")
    assert b'<a xmlns="urn:x">text</a>' == opened(made).content


# Other implementations, both ways.


def test_signxml_believes_our_signature() -> None:
    """The generator writes real XML-DSig."""
    expected = SignatureConfiguration(location="./")
    found = XMLVerifier().verify(GOOD, x509_cert=signer().certificate, expect_config=expected)
    assert not isinstance(found, list)
    assert CANONICAL == found.signed_data


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        (SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256),
        (SignatureMethod.RSA_SHA384, DigestAlgorithm.SHA384),
        (SignatureMethod.RSA_SHA512, DigestAlgorithm.SHA512),
    ],
)
def test_signatures_of_signxml(method: SignatureMethod, digest: DigestAlgorithm) -> None:
    """With prefixes and white space of its own, and each digest that is long enough."""
    made = XMLSigner(
        signature_algorithm=method,
        digest_algorithm=digest,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ).sign(
        etree.fromstring(document()),
        key=signer().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        cert=signer().pem.decode(),
    )
    assert CANONICAL == opened(etree.tostring(made)).content


# What is not of this shape.


def without_signature(content: bytes = GOOD) -> tuple[bytes, bytes]:
    """The document before its signature, and the signature."""
    start, end = content.index(b"<Signature"), content.index(b"</Signature>") + 12
    return content[:start] + content[end:], content[start:end]


def inside(wrapper: bytes, content: bytes = GOOD) -> bytes:
    """The document, signature and all, within another root."""
    return wrapper % content[content.index(b"<ListeBlanche") :]


def evil(content: bytes = GOOD) -> bytes:
    return content.replace(b"</ListeDomaines>", EVIL + b"</ListeDomaines>")


BARE, SEAL = without_signature()
OBJECT = b'<Object Id="kept">%s</Object></Signature>' % BARE[BARE.index(b"<Liste") :]

WRAPPED = {
    "in a new root": inside(b"<Liste xmlns='https://listeblanche.mssante.fr/schema'>%s</Liste>"),
    "beside evil in a new root": inside(b"<Liste>" + evil(BARE)[38:] + b"%s</Liste>"),
    "in a new root, signature last": inside(b"<Liste>%s" + SEAL + b"</Liste>", BARE),
    "in an object of the signature": evil(BARE).replace(
        END, SEAL.replace(b"</Signature>", OBJECT) + END
    ),
    "evil after the signature": GOOD.replace(END, EVIL + END),
    "evil before the signature": evil(),
    "signature in an entry": evil(BARE).replace(
        b"</Domaine></ListeD", SEAL + b"</Domaine></ListeD"
    ),
    "the signature as root": SEAL.replace(b"</Signature>", OBJECT),
    "a second root": GOOD + b"<ListeBlancheMSSante/>",
    "two signatures": GOOD.replace(END, SEAL + END),
    "one within the other": GOOD.replace(b"<KeyInfo>", b"<KeyInfo>" + SEAL),
    "by reference": evil(GOOD.replace(b'URI=""', b'URI="#kept"')),
    "without a reference": GOOD.replace(b' URI=""', b""),
    "of a type": GOOD.replace(b'URI=""', b'URI="" Type="http://www.w3.org/2000/09/xmldsig#Object"'),
}


@pytest.mark.parametrize("content", WRAPPED.values(), ids=WRAPPED.keys())
def test_signature_wrapping(content: bytes) -> None:
    """No shape shows the verifier one element and the reader another."""
    with pytest.raises(SignatureError):
        opened(content)


def test_what_a_signature_carries_is_never_read() -> None:
    """Hints of the key are not signed, so they are not part of what comes out."""
    content = GOOD.replace(b"<KeyInfo>", b"<KeyInfo>" + EVIL)
    assert CANONICAL == opened(content).content


def declared(dtd: bytes) -> bytes:
    start = GOOD.index(b"<ListeBlanche")
    return GOOD[:start] + dtd + GOOD[start:]


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
UNSOUND = {
    "a DTD": declared(b"<!DOCTYPE ListeBlancheMSSante>"),
    "a DTD elsewhere": declared(b'<!DOCTYPE ListeBlancheMSSante SYSTEM "http://127.0.0.1/x.dtd">'),
    "a default attribute": declared(b'<!DOCTYPE x [<!ATTLIST Nom a CDATA "b">]>'),
    "entities": declared(b'<!DOCTYPE x [<!ENTITY e "labo.example">]>'),
    "a file as entity": declared(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
    "a billion laughs": declared(b'<!DOCTYPE x [<!ENTITY l0 "ha">' + LAUGHS + b"]>").replace(
        b"labo.example", b"&l11;", 1
    ),
    "a DTD in UTF-16": declared(b"<!DOCTYPE x>")
    .decode()
    .replace("UTF-8", "UTF-16")
    .encode("utf-16"),
    "a DTD in UTF-7": declared(b"+ADwAIQ-DOCTYPE x>").replace(b"UTF-8", b"UTF-7"),
    "an unknown entity": GOOD.replace(b"labo.example", b"&e;", 1),
    "a comment before": declared(b"<!-- -->"),
    "a comment after": GOOD + b"<!-- -->",
    "a comment in a name": GOOD.replace(b"labo.example", b"labo.example<!---->.mal", 1),
    "a comment in the signature": GOOD.replace(b"<KeyInfo>", b"<KeyInfo><!---->"),
    "an instruction before": declared(b"<?x y?>"),
    "an instruction after": GOOD + b"<?x y?>",
    "an instruction within": GOOD.replace(b"labo.example", b"labo<?x y?>.example", 1),
    "UTF-16": GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "Latin 1": GOOD.replace(b"Pr\xc3\xa9nom", b"Pr\xe9nom", 1),
    "deep": b"<a>" * 10_000,
    "nothing": b"",
    "text": b"labo.example",
    "a web page": b"<html><body><p>Too many requests</body></html>",
}


@pytest.mark.parametrize("content", UNSOUND.values(), ids=UNSOUND.keys())
def test_more_than_elements_and_text(content: bytes) -> None:
    """No DTD, so no entity; no comment, no instruction; UTF-8 alone."""
    with pytest.raises(SignatureError):
        opened(content)


@pytest.mark.parametrize("odd", [b"<!-- -->", b"<?x y?>"])
def test_what_is_no_element_is_refused_though_signed(odd: bytes) -> None:
    """A signature over it makes it no better: what is left out could join what was apart."""
    with pytest.raises(SignatureError, match="comments or processing"):
        opened(signed(document().replace(b"labo.example<", b"labo.example" + odd + b"<", 1)))


def many(attributes: str = "", children: str = "") -> bytes:
    """A truly signed part of a document that is hard to write canonically."""
    return b"<r %b>%b%b</r>" % (attributes.encode(), children.encode(), SEAL)


HEAVY = {
    "attributes": many(" ".join(f'a{n}="1"' for n in range(200_000))),
    "attributes of many": many(children="<a b='c'/>" * 1001),
    "namespaces": many(" ".join(f'xmlns:n{n}="u:{n}"' for n in range(200_000))),
    "elements": many(children="<a/>" * 1_000_001),
}


@pytest.mark.parametrize("content", HEAVY.values(), ids=HEAVY.keys())
def test_what_would_take_long(content: bytes) -> None:
    """Whoever can drop a file must not be able to keep the keeper busy for minutes."""
    started = time.process_time()
    with pytest.raises(SignatureError, match="than any list"):
        opened(content)
    assert time.process_time() - started < 2


def test_a_byte_order_mark() -> None:
    """Some programs write one."""
    assert CANONICAL == opened(b"\xef\xbb\xbf" + GOOD).content


def test_a_character_data_section_is_text() -> None:
    """Another spelling of the same text, which the canonical form writes plainly."""
    made = GOOD.replace(b">labo.example<", b"><![CDATA[labo.example]]><")
    assert CANONICAL == opened(made).content


def edited(find: str, replace: str) -> Callable[[], bytes]:
    """A document truly signed, with a signature of another shape."""
    assert find in SIGNATURE
    return lambda: signed(template=SIGNATURE.replace(find, replace))


ENVELOPED = f'<Transform Algorithm="{DSIG}enveloped-signature"/>'
THEN = f'<Transform Algorithm="{EXCLUSIVE}"/>'
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
SHAPES = {
    "one transform": edited(ENVELOPED, ""),
    "no canonical form": edited(THEN, ""),
    "the other order": edited(ENVELOPED + THEN, THEN + ENVELOPED),
    "three transforms": edited(THEN, THEN * 2),
    "an XPath": edited(THEN, f'<Transform Algorithm="{XPATH}"><XPath>/*</XPath></Transform>'),
    "a stylesheet": edited(EXCLUSIVE, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
    "inclusive": edited(THEN, f'<Transform Algorithm="{INCLUSIVE}"/>'),
    "with comments": edited(THEN, f'<Transform Algorithm="{EXCLUSIVE}WithComments"/>'),
    "prefixes": edited(
        THEN,
        f'<Transform Algorithm="{EXCLUSIVE}"><InclusiveNamespaces xmlns="{EXCLUSIVE}"'
        ' PrefixList="x"/></Transform>',
    ),
    "signed info inclusive": edited(
        f'<CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>',
        f'<CanonicalizationMethod Algorithm="{INCLUSIVE}"/>',
    ),
    "two references": edited(
        "</Reference>",
        '</Reference><Reference URI=""><Transforms/><DigestMethod Algorithm="x"/><DigestValue/>'
        "</Reference>",
    ),
    "a manifest": edited("</KeyInfo>", "</KeyInfo><Object><Manifest/></Object>"),
    "sha1 digest": edited("http://www.w3.org/2001/04/xmlenc#sha256", f"{DSIG}sha1"),
    "sha1 signature": edited(
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", f"{DSIG}rsa-sha1"
    ),
    "hmac": edited("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"),
    "no algorithm": edited(' Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"', ""),
    "a parameter": edited("#sha256", '#sha256" Length="1'),
    "no certificate": edited("{certificates}", ""),
    "many certificates": edited("{certificates}", "{certificates}" * 9),
    "a certificate that is none": edited(
        "{certificates}", "<X509Certificate>AA==</X509Certificate>"
    ),
    "not base64": edited("{certificates}", "<X509Certificate>A*=</X509Certificate>{certificates}"),
    "base64 with elements": edited("{digest}", "{digest}<x/>"),
    "no key info": edited("<KeyInfo><X509Data>{certificates}</X509Data></KeyInfo>", ""),
    "another namespace": edited(f'<Signature xmlns="{DSIG}">', '<Signature xmlns="urn:x">'),
    "no namespace": edited(f'<Signature xmlns="{DSIG}">', "<Signature>"),
    "parts elsewhere": edited("<SignedInfo>", '<SignedInfo xmlns="urn:x">'),
}


@pytest.mark.parametrize("made", SHAPES.values(), ids=SHAPES.keys())
def test_other_shapes_of_signature(made: Callable[[], bytes]) -> None:
    """Well signed, in another way than the one: refused."""
    with pytest.raises(SignatureError):
        opened(made())


def test_a_certificate_without_an_rsa_key_signed_nothing() -> None:
    """It may come along all the same."""
    elliptic = issued("gw.labo.example")
    assert isinstance(elliptic.key, ec.EllipticCurvePrivateKey)
    other = f"<X509Certificate>{base64.b64encode(elliptic.der).decode()}</X509Certificate>"
    alone = edited("{certificates}", other)
    with pytest.raises(SignatureError, match="not made by the key"):
        opened(alone())
    assert CANONICAL == opened(edited("{certificates}", other + "{certificates}")()).content


def test_a_certificate_of_a_version_to_come() -> None:
    """It is none that we know."""
    later = signer().der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"))
    other = f"<X509Certificate>{base64.b64encode(later).decode()}</X509Certificate>"
    with pytest.raises(SignatureError, match="cannot be read"):
        opened(edited("{certificates}", other)())


def test_a_value_that_another_key_made() -> None:
    """Putting another certificate in changes who is tried, and that is all."""
    other = base64.b64encode(signer("alb.autre.example").der)
    mine = base64.b64encode(signer().der)
    with pytest.raises(SignatureError, match="not made by the key"):
        opened(GOOD.replace(mine, other))


def test_unsigned() -> None:
    """However well it is formed."""
    with pytest.raises(SignatureError, match="nobody signed"):
        opened(document())


def test_relative_namespaces_have_no_canonical_form() -> None:
    """The library refuses them, and so do we."""
    with pytest.raises(SignatureError):
        opened(GOOD.replace(b"<ListeDomaines>", b'<ListeDomaines xmlns:a="b"><a:x/>'))


def moved(choices: list[tuple[int, int, str]]) -> bytes:
    """The signed document with elements moved, copied, wrapped, dropped or emptied."""
    root = etree.fromstring(GOOD)
    for which, where, how in choices:
        found = list(root.iter())
        element, place = found[which % len(found)], found[where % len(found)]
        parent = element.getparent()
        if parent is None or element in place.iterancestors() or element is place:
            continue
        if how == "move":
            place.append(element)
        elif how == "copy":
            place.insert(where % (len(place) + 1), deepcopy(element))
        elif how == "wrap":
            wrapper = etree.SubElement(parent, place.tag)
            wrapper.append(element)
        elif how == "drop":
            parent.remove(element)
        else:
            element.text = place.text
    return etree.tostring(root)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.integers(0, 60),
            st.sampled_from(["move", "copy", "wrap", "drop", "write"]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_rearrangement(choices: list[tuple[int, int, str]]) -> None:
    """However the parts are put together: exactly what was signed, or our error."""
    with suppress(SignatureError):
        assert CANONICAL == opened(moved(choices)).content


@given(st.integers(0, len(GOOD) - 1))
def test_truncated(at: int) -> None:
    """A part of a signed document is nothing, wherever it ends and whatever checksum lies beside it."""
    assert hashlib.sha256(GOOD[:at]).digest()  # easily made to match
    with pytest.raises(SignatureError):
        opened(GOOD[:at])


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_any_octet_changed(at: int, octet: int) -> None:
    """Exactly what was signed, or our error."""
    with suppress(SignatureError):
        assert CANONICAL == opened(GOOD[:at] + bytes([octet]) + GOOD[at + 1 :]).content


@given(
    st.binary(max_size=300) | st.text(alphabet="<>/&;![]-?abx=\"' \n", max_size=300).map(str.encode)
)
def test_any_bytes(content: bytes) -> None:
    """Our error and no other, and no file or network touched."""
    with pytest.raises(SignatureError):
        opened(content)


def test_parsing_alone_is_as_strict() -> None:
    """Readers parse by the same rules as the verifier."""
    assert "ListeBlancheMSSante" == etree.QName(xmldsig.parse(CANONICAL)).localname
    with pytest.raises(SignatureError):
        xmldsig.parse(b"<a/><!-- -->")
