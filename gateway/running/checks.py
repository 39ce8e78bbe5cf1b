"""What must be right before anything is opened; each fault is one sentence with its cure.

R-A2, and HOUSE rule 2: a key that others can read is no key.
"""

import os
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from gateway.operations.error import OperationError
from gateway.relay.handing.credentials import CredentialsError, LogIns
from gateway.settings import Settings
from gateway.settings.site import Tls
from smtp.address import Address, domain_of


def all_is_well(settings: Settings, now: datetime) -> None:
    """Check files, permissions and the certificate; raise the first thing that is wrong."""
    data_folder(settings.paths.data)
    private(settings.tls.key, "the private key")
    for secret in (
        settings.paths.passphrase_file,
        settings.receipts.password_file,
        settings.alerts.webhook_secret_file,
        settings.large.reader.client_secret_file if settings.large.reader else None,
    ):
        if secret is not None:
            private(secret, "the secret")
    pair(settings.tls)
    mailbox_servers(settings)
    forwards(settings)
    readers(settings)
    expiry = expires(settings.tls)
    if expiry <= now:
        raise OperationError(
            f"the certificate {settings.tls.certificate} expired on {expiry:%Y-%m-%d}",
            "renew it: no peer would accept us",
        )
    for source in settings.trust.sources:
        for signer in (*source.signers, *source.openpgp):
            readable(signer, "the pinned signer")


def readers(settings: Settings) -> None:
    """Check that who receives a link to a large document can open it, and log in."""
    reader = settings.large.reader
    if reader is None:
        return
    readable(reader.anchors, "the anchors of the readers' issuer")
    if settings.listen.web is None:
        raise OperationError(
            "[large.reader] sends people links, and [listen.web] is not there to answer",
            "open it, at the address that [large.reader] origin names",
        )


def mailbox_servers(settings: Settings) -> None:
    """Check that the house's servers are given mail of our own domains, and can be logged in to."""
    for server in settings.mailboxes.server:
        named = (*server.mailboxes, *((server.errors,) if server.errors else ()))
        whose = (*server.domains, *(domain_of(Address(each)) for each in named))
        if strangers := sorted(set(whose) - set(settings.site.domains)):
            raise OperationError(
                f"the mailbox server {server.name} is given mail of {', '.join(strangers)}",
                "mailboxes are of our own domains: [site] domains",
            )
        if server.path is not None and server.path.resolve().is_relative_to(
            settings.paths.data.resolve()
        ):
            raise OperationError(
                f"the folder of {server.name} lies within the data folder",
                "what is put there can be read: it must lie elsewhere",
            )
        if server.credentials_file is not None:
            octets = private(server.credentials_file, "the credentials")
            try:
                LogIns.parse(octets.decode("utf-8"))
            except (UnicodeDecodeError, CredentialsError) as error:
                raise OperationError(
                    f"{server.credentials_file} cannot be used: {error}",
                    "docs/mailbox-servers.md shows one",
                ) from None


def forwards(settings: Settings) -> None:
    """Check that documents are copied from and to mailboxes of our own domains alone."""
    for forward in settings.mailboxes.forward:
        whose = {domain_of(Address(each)) for each in (*forward.mailboxes, forward.to)}
        if strangers := sorted(whose - set(settings.site.domains)):
            raise OperationError(
                f"[[mailboxes.forward]] copies documents from or to {', '.join(strangers)}",
                "mailboxes are of our own domains: [site] domains",
            )


def data_folder(folder: Path) -> None:
    """Make the data folder for its owner alone, or refuse one that others can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise OperationError(
            f"the data folder {folder} cannot be used: {error.strerror}", "make it, mode 0700"
        ) from None
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise OperationError(f"others can enter {folder}", f"chmod 700 {folder}")
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise OperationError(f"{folder} belongs to another user", "run as its owner")


def readable(path: Path, what: str) -> bytes:
    """Return a file's octets."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperationError(
            f"{what} {path} cannot be read: {error.strerror}", "correct the path or the permissions"
        ) from None


def private(path: Path, what: str) -> bytes:
    """Return a secret file's octets; refuse one that others can read."""
    octets = readable(path, what)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise OperationError(f"others can read {what} {path}", f"chmod 600 {path}")
    return octets


def pair(tls: Tls) -> None:
    """Check that certificate, key and anchors can be used together."""
    readable(tls.certificate, "the certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except ssl.SSLError:
        raise OperationError(
            f"{tls.certificate} and {tls.key} do not belong together",
            "the certificate comes first in its file, then its intermediates; both are PEM",
        ) from None
    readable(tls.anchors, "the anchor file")
    try:
        context.load_verify_locations(tls.anchors)
    except ssl.SSLError:
        raise OperationError(
            f"the anchor file {tls.anchors} holds no certificate", "put the authorities in, as PEM"
        ) from None


def expires(tls: Tls) -> datetime:
    """Return when our certificate expires."""
    try:
        pem = x509.load_pem_x509_certificate(readable(tls.certificate, "the certificate"))
    except ValueError:
        raise OperationError(f"{tls.certificate} holds no certificate", "give it as PEM") from None
    return pem.not_valid_after_utc.astimezone(UTC)
