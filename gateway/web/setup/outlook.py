"""Outlook's autodiscover: the question it posts, and our answer.

The question is XML from anybody: no DTD, so no entities; small; and of one shape. The answer repeats
nothing but the address that was asked for, and is the same whether that mailbox exists or not.
[MS-OXDSCLI] §2.2.3 and §2.2.4 (POX). R-A6.
"""

from lxml import etree

from gateway.web.setup.servers import Server, Servers
from trust.errors import SignatureError
from trust.signatures.xmldsig import parse

_PLACE = "http://schemas.microsoft.com/exchange/autodiscover"
REQUEST = f"{_PLACE}/outlook/requestschema/2006"
ANSWER = f"{_PLACE}/responseschema/2006"
SETTINGS = f"{_PLACE}/outlook/responseschema/2006a"
_SCHEMA = 601  # the program wants another kind of answer than we have
_NOT_HERE = 500
_NO_QUESTION = 600
_WORDS = {
    _NO_QUESTION: "Invalid Request",
    _NOT_HERE: "The email address is not of a domain of this gateway",
    _SCHEMA: "Requested schema version not supported",
}


def answer(servers: Servers, question: bytes) -> bytes:
    """Return the answer to a question, whatever it is."""
    try:
        root = parse(question)
    except SignatureError:
        return _error(_NO_QUESTION)
    address = _text(root, "EMailAddress")
    if root.tag != f"{{{REQUEST}}}Autodiscover" or not address:
        return _error(_NO_QUESTION)
    if _text(root, "AcceptableResponseSchema") != SETTINGS:
        return _error(_SCHEMA)
    if servers.domain(address) is None:
        return _error(_NOT_HERE)
    return _settings(servers, address)


def _text(root: etree._Element, name: str) -> str:
    return (root.findtext(f"{{{REQUEST}}}Request/{{{REQUEST}}}{name}") or "").strip()


def _settings(servers: Servers, address: str) -> bytes:
    root = etree.Element(f"{{{ANSWER}}}Autodiscover", nsmap={None: ANSWER})
    response = etree.SubElement(root, f"{{{SETTINGS}}}Response", nsmap={None: SETTINGS})
    account = etree.SubElement(response, f"{{{SETTINGS}}}Account")
    _leaf(account, "AccountType", "email")
    _leaf(account, "Action", "settings")
    for kind, ways in (("IMAP", servers.reading), ("SMTP", servers.sending)):
        for server in ways[:1]:  # Outlook takes the first of a kind
            _protocol(account, kind, server, address)
    return _written(root)


def _protocol(account: etree._Element, kind: str, server: Server, address: str) -> None:
    protocol = etree.SubElement(account, f"{{{SETTINGS}}}Protocol")
    _leaf(protocol, "Type", kind)
    _leaf(protocol, "Server", server.host)
    _leaf(protocol, "Port", str(server.port))
    _leaf(protocol, "DomainRequired", "off")
    _leaf(protocol, "LoginName", address)
    _leaf(protocol, "SPA", "off")
    _leaf(protocol, "SSL", "on")
    _leaf(protocol, "Encryption", "TLS" if server.starttls else "SSL")
    _leaf(protocol, "AuthRequired", "on")
    if kind == "SMTP":
        _leaf(protocol, "UsePOPAuth", "on")  # the password is the one for reading
        _leaf(protocol, "SMTPLast", "off")


def _leaf(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{SETTINGS}}}{name}").text = text


def _error(code: int) -> bytes:
    root = etree.Element(f"{{{ANSWER}}}Autodiscover", nsmap={None: ANSWER})
    response = etree.SubElement(root, f"{{{ANSWER}}}Response")
    error = etree.SubElement(response, f"{{{ANSWER}}}Error", Time="00:00:00.0000000", Id="0")
    etree.SubElement(error, f"{{{ANSWER}}}ErrorCode").text = str(code)
    etree.SubElement(error, f"{{{ANSWER}}}Message").text = _WORDS[code]
    etree.SubElement(error, f"{{{ANSWER}}}DebugData")
    return _written(root)


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
