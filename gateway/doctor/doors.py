"""Whether each listener that the settings name is there, speaks its protocol, and shows our certificate.

Asked as strangers ask: by its port, believing our anchors alone. What needs a client certificate is
shown our own. R-A2, R-A3.
"""

import http.client
import imaplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.settings import Settings
from smtp import tls

_PATIENCE = 5.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
_Place = tuple[str, int]
_Shown = bytes | None  # the certificate (DER) that was shown


def doors(settings: Settings, bound: Mapping[str, int]) -> Iterator[Finding]:
    """Look at every listener; ``bound`` says which ports were taken where any would do."""
    context = tls.client_context(settings.tls.certificate, settings.tls.key, settings.tls.anchors)
    ours = load_pem_x509_certificate(settings.tls.certificate.read_bytes())
    leaf = ours.public_bytes(Encoding.DER)
    for name in type(settings.listen).model_fields:
        listener = getattr(settings.listen, name)
        if listener is None:
            continue
        place = _ANY.get(listener.host, listener.host), listener.port or bound.get(name, 0)
        yield _door(name, place, context, leaf)


def _door(name: str, place: _Place, context: ssl.SSLContext, leaf: bytes) -> Finding:
    what, where = f"port {name}", f"{place[0]}:{place[1]}"
    try:
        shown = _WAYS[name](place, context)
    except ssl.SSLError as error:
        why = (error.reason or "handshake failed").replace("_", " ").lower()
        return fail(what, f"{where}: TLS fails: {why}", "see the certificate's lines above")
    except ConnectionRefusedError:
        return fail(what, f"nothing listens at {where}", "look at the gateway's log")
    except _Unready as error:
        return warn(what, f"{where}: {error}", "see the lines about the lists and the disk")
    except (
        OSError,
        smtplib.SMTPException,
        imaplib.IMAP4.error,
        http.client.HTTPException,
    ) as error:
        why = type(error).__name__
        return fail(what, f"{where} does not speak as it must ({why})", "who listens there?")
    if shown is not None and shown != leaf:
        cure = "send SIGHUP, so that the gateway reads the new one"
        return warn(what, f"{where} shows another certificate than the file holds", cure)
    return ok(what, f"{where} answers" + (" with our certificate" if shown else ""))


class _Unready(Exception):  # noqa: N818 - it is an answer
    """A gateway that runs and says why it cannot work."""


def _smtp(place: _Place, context: ssl.SSLContext) -> _Shown:
    with smtplib.SMTP_SSL(*place, timeout=_PATIENCE, context=context) as line:
        line.noop()
        return _certificate(line.sock)


def _smtp_starttls(place: _Place, context: ssl.SSLContext) -> _Shown:
    with smtplib.SMTP(*place, timeout=_PATIENCE) as line:
        line.starttls(context=context)
        line.ehlo()
        return _certificate(line.sock)


def _imap(place: _Place, context: ssl.SSLContext) -> _Shown:
    with imaplib.IMAP4_SSL(*place, ssl_context=context, timeout=_PATIENCE) as line:
        return _certificate(line.sock)


def _imap_starttls(place: _Place, context: ssl.SSLContext) -> _Shown:
    with imaplib.IMAP4(*place, timeout=_PATIENCE) as line:
        line.starttls(context)
        return _certificate(line.sock)


def _web(place: _Place, context: ssl.SSLContext) -> _Shown:
    return _page(place, context, "/web.css")


def _console(place: _Place, context: ssl.SSLContext) -> _Shown:
    return _page(place, context, "/console.css")


def _page(place: _Place, context: ssl.SSLContext, path: str) -> _Shown:
    line = http.client.HTTPSConnection(*place, timeout=_PATIENCE, context=context)
    with closing(line):
        line.connect()
        shown = _certificate(line.sock)
        line.request("GET", path)
        if line.getresponse().status != http.client.OK:
            raise http.client.HTTPException
        return shown


def _status(place: _Place, context: ssl.SSLContext) -> _Shown:
    del context
    line = http.client.HTTPConnection(*place, timeout=_PATIENCE)
    with closing(line):
        line.request("GET", "/readyz")
        if line.getresponse().status != http.client.OK:
            raise _Unready("it says that it is not ready for mail")
    return None


def _certificate(sock: socket.socket | None) -> _Shown:
    return sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None


_WAYS: Mapping[str, Callable[[_Place, Any], _Shown]] = {
    "submission": _smtp,
    "submission_starttls": _smtp_starttls,
    "submission_certificate": _smtp,
    "relay": _smtp_starttls,
    "imap": _imap,
    "imap_starttls": _imap_starttls,
    "imap_certificate": _imap,
    "web": _web,
    "web_certificate": _web,
    "console": _console,
    "console_certificate": _console,
    "status": _status,
}
