"""The configuration profile of Apple's Mail: one tap, and the account is there but for its password.

The profile is signed with the gateway's own certificate, so that the device names who made it; the
same address gives the same identifiers, so that installing it again replaces it. Where devices do
not know our authority, the settings name it and the profile brings it along. Apple's Configuration
Profile Reference (Mail payload); RFC 5652 §5. R-A6.
"""

import plistlib
import uuid
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from gateway.web.setup.servers import Servers
from smtp.address import Address

MEDIA_TYPE = "application/x-apple-aspen-config"


def profile(servers: Servers, address: Address, anchors: Sequence[bytes] = ()) -> bytes:
    """Return the profile for an address, not yet signed; ``anchors`` (DER) come along."""
    reading, sending = servers.reading[0], servers.sending[0]
    mail = _payload(servers, address, "com.apple.mail.managed", "mail") | {
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": address,
        "EmailAddress": address,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerHostName": reading.host,
        "IncomingMailServerPortNumber": reading.port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": address,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerHostName": sending.host,
        "OutgoingMailServerPortNumber": sending.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": address,
        "OutgoingPasswordSameAsIncomingPassword": True,
        # Mail of patients is not to be carried into an account elsewhere.
        "PreventMove": True,
        "disableMailRecentsSyncing": True,
    }
    roots = [
        _payload(servers, address, "com.apple.security.root", f"root.{number}")
        | {"PayloadContent": anchor}
        for number, anchor in enumerate(anchors, 1)
    ]
    whole = _payload(servers, address, "Configuration", "profile") | {
        "PayloadDescription": f"Messagerie de santé · {servers.name}",
        "PayloadOrganization": servers.name,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [mail, *roots],
    }
    return plistlib.dumps(whole)


def _payload(servers: Servers, address: Address, kind: str, part: str) -> dict[str, Any]:
    host = servers.reading[0].host
    unique = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host}/{address}/{part}")
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{'.'.join(reversed(host.split('.')))}.{part}.{unique}",
        "PayloadUUID": str(unique).upper(),
        "PayloadDisplayName": f"{servers.name}: {address}",
    }


def signed(content: bytes, chain_pem: bytes, key_pem: bytes) -> bytes:
    """Return the profile within a CMS signature by our certificate, its chain beside it (DER)."""
    certificate, *above = x509.load_pem_x509_certificates(chain_pem)
    key = load_pem_private_key(key_pem, None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("a profile is signed with RSA or an elliptic curve")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(certificate, key, hashes.SHA256())
    for each in above:
        builder = builder.add_certificate(each)
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
