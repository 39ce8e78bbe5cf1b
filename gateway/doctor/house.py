"""What lies on this machine: folders, keys, secrets, our certificate, the room on the disk.

Only read: an examination by the wrong user must leave nothing behind. R-A2.
"""

import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from gateway.app import ring_of
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.running import certifying, checks
from gateway.settings import Settings
from trust.chain import Chains, chains
from vault.openpgp import OpenPgpError, checked

_AHEAD = timedelta(days=30)


def data(settings: Settings) -> Iterator[Finding]:
    """Look at the data folder and at the room left on its disk."""
    folder, reserve = settings.paths.data, settings.vault.reserve
    if not folder.exists():
        yield warn("data", f"{folder} is not there yet", "it is made at the first start")
        return
    checks.data_folder(folder)
    yield ok("data", f"{folder} is for its owner alone")
    free = shutil.disk_usage(folder).free
    sentence = f"{free >> 20:,} MiB are free, {reserve >> 20:,} are the reserve"
    cure = "make room: below the reserve all new mail is put off"
    if free < reserve:
        yield fail("disk", sentence, cure)
    elif free < 2 * reserve:
        yield warn("disk", sentence, cure)
    else:
        yield ok("disk", sentence)


def secrets(settings: Settings) -> Iterator[Finding]:
    """Look at who can read what must be secret."""
    for path in (
        settings.tls.key,
        settings.paths.passphrase_file,
        settings.receipts.password_file,
        settings.alerts.webhook_secret_file,
        settings.large.reader.client_secret_file if settings.large.reader else None,
    ):
        if path is not None:
            checks.private(path, "the secret")
            yield from _owned(path)


def _owned(path: Path) -> Iterator[Finding]:
    folder = path.parent.stat()
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        yield warn("secrets", f"anybody can put another {path.name} in its place", "chmod o-w it")
        return
    yield ok("secrets", f"{path} is for its owner alone")


def escrow(settings: Settings) -> Iterator[Finding]:
    """Look at the keys that exported cases are encrypted for."""
    for path in settings.quarantine.escrow_keys:
        try:
            (key,) = checked({path.stem: checks.readable(path, "the escrow key")})
        except OpenPgpError as error:
            yield fail("escrow", str(error), "see [quarantine] escrow_keys; get a newer key")
        else:
            yield ok("escrow", f"{path.stem} is the key of {key.holder or key.fingerprint}")


def ring(settings: Settings) -> Iterator[Finding]:
    """Open the key ring as a start would, passphrase and all."""
    found = ring_of(settings)
    locked = "with its passphrase" if settings.paths.passphrase_file else "without a passphrase"
    yield ok("key ring", f"{settings.paths.keys} opens, {locked}; key {found.current} is in use")
    if settings.paths.data.exists():
        same = settings.paths.keys.stat().st_dev == settings.paths.data.stat().st_dev
        if same and settings.paths.passphrase_file is None:
            yield warn(
                "key ring",
                "it lies on the same disk as the data, without a passphrase",
                "a copy of that whole disk is readable: see [paths] passphrase_file",
            )


def certificate(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at our certificate: its key, its dates, its names, its chain."""
    checks.pair(settings.tls)
    yield ok("certificate", "it and its private key belong together")
    shown = x509.load_pem_x509_certificate(settings.tls.certificate.read_bytes())
    yield _dated(shown, now)
    yield from _named(settings, shown)
    found = chained(settings, now)
    if found.found:
        yield ok("certificate", "it leads to our anchors, as that of every peer must")
    else:
        yield fail(
            "certificate",
            f"it leads to none of our anchors ({found.why})",
            "put its intermediates behind it in the file, or its root among the anchors",
        )


def chained(settings: Settings, now: datetime) -> Chains:
    """Return the ways from our certificate to our anchors."""
    leaf, *above = certifying.certificates(settings.tls.certificate, "the certificate")
    anchors = certifying.certificates(settings.tls.anchors, "the anchor file")
    return chains(leaf, above, anchors, now)


def anchors(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at the authorities that we believe."""
    pem = checks.readable(settings.tls.anchors, "the anchor file")
    for each in x509.load_pem_x509_certificates(pem):
        name = each.subject.rfc4514_string()
        if not each.not_valid_before_utc <= now <= each.not_valid_after_utc:
            yield warn(
                "anchors", f"{name} is out of its dates", "ask the authority for its successor"
            )
        else:
            yield ok("anchors", f"{name}, until {each.not_valid_after_utc:%F}")


def _dated(shown: x509.Certificate, now: datetime) -> Finding:
    begins, ends = (
        each.astimezone(UTC) for each in (shown.not_valid_before_utc, shown.not_valid_after_utc)
    )
    if now < begins:
        return fail(
            "certificate",
            f"it is valid from {begins:%F %H:%M} UTC on",
            "look at this machine's clock",
        )
    if ends <= now:
        return fail("certificate", f"it expired on {ends:%F}", "renew it: no peer accepts us")
    if ends - now < _AHEAD:
        return warn("certificate", f"it expires on {ends:%F}", "renew it, then send SIGHUP")
    return ok("certificate", f"it is valid until {ends:%F}")


def _named(settings: Settings, shown: x509.Certificate) -> Iterator[Finding]:
    """Say which names mail programs and peers use that it does not bear."""
    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        borne: set[str] = set()
    else:
        borne = {each.lower() for each in names.get_values_for_type(x509.DNSName)}
    wanted = {settings.site.host, settings.setup.host or settings.site.host}
    if settings.listen.web is not None:
        wanted |= {f"autoconfig.{domain}" for domain in settings.site.domains}
    missing = sorted(name for name in wanted if not _borne(name, borne))
    if not missing:
        yield ok("certificate", f"it bears {', '.join(sorted(wanted))}")
    for name in missing:
        yield warn(
            "certificate",
            f"it does not bear the name {name}",
            "mail programs that connect by that name will not believe it",
        )


def _borne(name: str, borne: set[str]) -> bool:
    return name in borne or f"*.{name.partition('.')[2]}" in borne
