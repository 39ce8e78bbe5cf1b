"""Thunderbird's autoconfig document, which KMail, Evolution, K-9 and others read as well.

It names one domain and repeats no address: the program fills in what it was told itself.
Thunderbird's ``config-v1.1.xml``; draft-ietf-mailmaint-autoconfig. R-A6.
"""

from lxml import etree

from gateway.web.setup.servers import Server, Servers


def document(servers: Servers, domain: str) -> bytes:
    """Return the document for one of our domains."""
    root = etree.Element("clientConfig", version="1.1")
    provider = etree.SubElement(root, "emailProvider", id=domain)
    _leaf(provider, "domain", domain)
    _leaf(provider, "displayName", f"Messagerie de santé {domain}")
    _leaf(provider, "displayShortName", servers.name)
    for server in servers.reading:
        _server(etree.SubElement(provider, "incomingServer", type="imap"), server)
    for server in servers.sending:
        _server(etree.SubElement(provider, "outgoingServer", type="smtp"), server)
    if servers.page:
        page = etree.SubElement(provider, "documentation", url=servers.page)
        _leaf(page, "descr", "Configurer votre messagerie", lang="fr")
        _leaf(page, "descr", "Set up your mail program", lang="en")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)


def _server(element: etree._Element, server: Server) -> None:
    _leaf(element, "hostname", server.host)
    _leaf(element, "port", str(server.port))
    _leaf(element, "socketType", "STARTTLS" if server.starttls else "SSL")
    _leaf(element, "authentication", "password-cleartext")  # within TLS, is what it means
    _leaf(element, "username", "%EMAILADDRESS%")


def _leaf(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, name, attributes).text = text
