"""A signed XML document: one strict profile of XML-DSig, and the very bytes that were signed.

XML signatures are forged by showing the verifier one element and the reader another. So there is
one shape here and no other: one root, one ``Signature`` directly below it as its last element, one
reference to the whole document (``URI=""``), the two transforms that take the signature out and
write the rest canonically. What ``opened`` returns is that canonical writing, and readers parse
nothing else. Without a DTD there are no entities; comments and processing instructions are refused,
because the canonical form leaves the first out. W3C xmldsig-core §4 and §6.6.4, xml-exc-c14n; R-C3.
"""

import base64
import hashlib
import hmac

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from trust.errors import SignatureError
from trust.signatures.verified import Signed

DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DSIG}enveloped-signature"
_CERTIFICATES = 8  # that may come along
_TAGS = 1_000_000  # ten times those of the real list; each element costs memory
_NAMES = 1_000  # attributes or namespaces, of which lists have twenty; sorting them is quadratic
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"

_METHODS: dict[str, hashes.HashAlgorithm] = {
    f"{_MORE}rsa-sha256": hashes.SHA256(),
    f"{_MORE}rsa-sha384": hashes.SHA384(),
    f"{_MORE}rsa-sha512": hashes.SHA512(),
}
_DIGESTS = {f"{_ENC}sha256": "sha256", f"{_MORE}sha384": "sha384", f"{_ENC}sha512": "sha512"}


def opened(content: bytes) -> Signed:
    """Return what was signed and by which certificate; raise ``SignatureError`` for any doubt."""
    try:
        return _opened(parse(content))
    except etree.LxmlError:
        raise SignatureError("the document cannot be written canonically") from None


def parse(content: bytes) -> etree._Element:
    """Parse XML that has no DTD, hence no entities, and nothing but elements, attributes, text."""
    if b"<!DOCTYPE" in content:
        raise SignatureError("the document has a DTD")
    if content.count(b"<") > _TAGS or content.count(b"xmlns") > _NAMES:
        raise SignatureError("the document has more elements or namespaces than any list")
    # UTF-8 whatever the document says: under another encoding the line above would prove nothing.
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise SignatureError("the document is not well-formed XML, or not whole") from None
    around = root.getprevious() is not None or root.getnext() is not None
    if around or next(root.iter(etree.Comment, etree.PI), None) is not None:
        raise SignatureError("the document has comments or processing instructions")
    if root.xpath("count(//@*)") > _NAMES:
        raise SignatureError("the document has more attributes than any list")
    return root


def _opened(root: etree._Element) -> Signed:
    signature = _the_signature(root)
    info, value, hint = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    method, digest_method, digest = _checked(info)
    certificates = _certificates(hint)
    over = canonical(info)
    signer = _signer(certificates, _octets(value), over, method)
    _take_out(signature)
    content = canonical(root)
    if not hmac.compare_digest(hashlib.new(digest_method, content).digest(), digest):
        raise SignatureError("made over other bytes")
    return Signed(content, signer, tuple(each for each in certificates if each != signer))


def canonical(element: etree._Element) -> bytes:
    """Return an element in its exclusive canonical form, without comments."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def _the_signature(root: etree._Element) -> etree._Element:
    found = list(root.iter(f"{{{DSIG}}}Signature"))
    if not found:
        raise SignatureError("nobody signed")
    if len(found) > 1:
        raise SignatureError("more than one signature")
    if found[0].getparent() is not root or found[0].getnext() is not None:
        raise SignatureError("the signature is not the last element of the document")
    return found[0]


def _children(element: etree._Element, *names: str) -> list[etree._Element]:
    """Return an element's children, which must be exactly these, in this order."""
    children = list(element)
    if [child.tag for child in children] != [f"{{{DSIG}}}{name}" for name in names]:
        raise SignatureError(f"{etree.QName(element).localname} is not made as it must be")
    return children


def _checked(info: etree._Element) -> tuple[hashes.HashAlgorithm, str, bytes]:
    """Return by what the signature and the digest are made, once all else is as it must be."""
    form, method, reference = _children(
        info, "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    transforms, digest_method, digest = _children(
        reference, "Transforms", "DigestMethod", "DigestValue"
    )
    if reference.get("URI") != "" or set(reference.keys()) - {"URI", "Id"}:
        raise SignatureError("the signature is not over the whole document")
    applied = [_algorithm(each) for each in _children(transforms, "Transform", "Transform")]
    if applied != [ENVELOPED, EXCLUSIVE] or _algorithm(form) != EXCLUSIVE:
        raise SignatureError("the signature is made through other transforms")
    try:
        return _METHODS[_algorithm(method)], _DIGESTS[_algorithm(digest_method)], _octets(digest)
    except KeyError as error:
        raise SignatureError(f"the algorithm {error.args[0][:80]} is not accepted") from None


def _algorithm(element: etree._Element) -> str:
    """Return an algorithm's name; it may have no parameters, which would be another algorithm."""
    if len(element) or element.keys() != ["Algorithm"]:
        raise SignatureError("an algorithm has parameters")
    return element.get("Algorithm", "")


def _octets(element: etree._Element) -> bytes:
    try:
        if len(element):
            raise ValueError
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except ValueError:
        raise SignatureError(f"{etree.QName(element).localname} is not base64") from None


def _certificates(hint: etree._Element) -> list[x509.Certificate]:
    """Return the certificates that came along: hints only, their keys are tried."""
    found = hint.findall(f"{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate")
    if not 1 <= len(found) <= _CERTIFICATES:
        raise SignatureError(f"from one to {_CERTIFICATES} certificates must come along")
    try:
        return [x509.load_der_x509_certificate(_octets(each)) for each in found]
    except (ValueError, x509.InvalidVersion):
        raise SignatureError("a certificate that came along cannot be read") from None


def _signer(
    certificates: list[x509.Certificate],
    signature: bytes,
    over: bytes,
    method: hashes.HashAlgorithm,
) -> x509.Certificate:
    for certificate in certificates:
        try:
            key = certificate.public_key()
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, over, padding.PKCS1v15(), method)
                return certificate
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            continue
    raise SignatureError("not made by the key of any certificate that came along")


def _take_out(signature: etree._Element) -> None:
    """Remove the signature and leave the text that follows it, which was signed."""
    before, root = signature.getprevious(), signature.getparent()
    assert root is not None  # found below the root
    if before is None:
        root.text = (root.text or "") + (signature.tail or "")
    else:
        before.tail = (before.tail or "") + (signature.tail or "")
    root.remove(signature)
