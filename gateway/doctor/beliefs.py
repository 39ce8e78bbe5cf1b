"""What the gateway knows: its lists, whether they name us, how our certificate stands, the journal.

Asked by the same verbs as an operator's, so that it works beside a running gateway and without.
"""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.operations.error import OperationError
from gateway.settings import Settings

Ask = Callable[..., Any]

_SOON = timedelta(hours=24)
_SKEW = timedelta(minutes=5)
_NAMED = frozenset({"sender-not-listed", "sender-revoked", "peer-not-entitled", "list-missing"})


def lists(ask: Ask, now: datetime) -> Iterator[Finding]:
    """Look at how each source stands, and at our clock against what it says."""
    for source in ask("trust.show", limit=0)["sources"]:
        yield from _source(source, now)


def _source(source: dict[str, Any], now: datetime) -> Iterator[Finding]:
    name = f"list {source['source']}"
    if source["version"] is None:
        cure = "sceau trust import brings one in; mail with others waits until then"
        yield fail(name, f"none is in force{_last(source)}", cure)
        return
    issued, stale = (datetime.fromisoformat(source[key]) for key in ("issued", "stale_after"))
    if now + _SKEW < issued:
        yield fail(
            "clock",
            f"{name} was issued at {issued:%F %H:%M} UTC, and here it is {now:%F %H:%M}",
            "this machine's clock is behind: look at its time service",
        )
    told = f"{source['version']} of {issued:%F}, good until {stale:%F %H:%M} UTC"
    if stale <= now:
        yield fail(name, told, "get a newer one: mail with its members waits")
    elif stale - now < _SOON:
        yield warn(name, told, "get a newer one before then")
    else:
        yield ok(name, told)
    if source["pending"]:
        yield warn(
            name, "a change waits for an operator", "sceau trust diff, then approve or reject"
        )
    elif source["state"] not in {"good", "stale"}:
        yield warn(name, f"it is {source['state']}{_last(source)}", "see sceau trust show")


def _last(source: dict[str, Any]) -> str:
    return f": {source['last']}" if source["last"] else ""


def ourselves(ask: Ask, settings: Settings) -> Iterator[Finding]:
    """Look at whether the list names us, and by the certificate that we have."""
    shown = load_pem_x509_certificate(settings.tls.certificate.read_bytes())
    octets = base64.b64encode(shown.public_bytes(Encoding.DER)).decode()
    for domain in settings.site.domains:
        who = f"postmaster@{domain}"
        *steps, verdict = ask("trust.explain", sender=who, recipient=who, certificate=octets)
        reason = verdict["sentence"].partition(":")[0]
        if reason in _NAMED:
            yield fail(
                "our domain",
                f"{domain}: {steps[-1]['sentence']}",
                "ask the list's authority: until then others refuse our mail",
            )
        else:
            yield ok("our domain", f"{domain} is listed, and our certificate speaks for it")


def revocation(ask: Ask) -> Iterator[Finding]:
    """Look at how our own certificate stands with its authority."""
    for row in ask("certificates.list"):
        if row["kind"] == "ours":
            yield _standing(row)


def _standing(row: dict[str, Any]) -> Finding:
    state, why = row["state"], row["why"]
    if state == "revoked":
        return fail(
            "revocation", f"our certificate was revoked {why}", "no peer accepts us: renew it"
        )
    if state == "good":
        return ok("revocation", "our certificate's authority vouches for it")
    return warn(
        "revocation",
        f"our certificate is {state} {why}".rstrip(),
        "see docs/certificates.md; peers that ask may put our mail off",
    )


def journal(ask: Ask) -> Iterator[Finding]:
    """Walk the whole journal to its signed head."""
    try:
        verdict = ask("journal.verify")
    except OperationError as error:
        yield fail("journal", str(error), error.hint)
    else:
        yield ok("journal", f"an unbroken chain, entries: {verdict['rows']:,}")
