"""``sceau init``: a first configuration that is whole, explained, and safe from its first minute.

What can be found out is not asked: this machine's name, its domain. The key ring lies beside the data
and not in it. Only a trial makes an authority and a list of its own; everywhere else both come from
those who run the space, and what is missing is said. R-A2.
"""

import base64
import os
import re
import socket
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway import app
from gateway.demo.pki import Authority
from gateway.operations.error import OperationError
from smtp.address import AddressError, parse_domain
from trust.formats import native
from trust.identity import Identity, Way
from trust.members import Claims, Host, Member
from trust.signatures import cms

EXAMPLE = Path(__file__).parents[1] / "config" / "gateway.toml"
_HIGHER = 10_000  # a trial's ports are those of the example and so many: nobody need be root
# Whose pages a listener has: no name server knows a trial's host, and passkeys hang on what browsers see.
_PAGES = {"listen.web": "account", "listen.console": "console"}
_SECTION = re.compile(r"\[([a-z_.]+)\]")
_LINE = re.compile(r"(?P<key>[a-z_]+) = (?P<value>\[[^\]]*\]|\"[^\"]*\"|[^ #]+)(?P<rest> *)")


@dataclass(frozen=True, slots=True)
class Founding:
    """What a gateway is called, and where it is to lie."""

    folder: Path
    host: str
    domain: str
    test: bool = False
    practice: str = ""  # one doctor's: their name

    @classmethod
    def of(
        cls, folder: Path, host: str, domain: str, *, test: bool, practice: str = ""
    ) -> "Founding":
        """Return it, with what was not said found out; a trial is of this machine alone."""
        host = host or ("mx.essai.example" if test else socket.getfqdn())
        try:
            host = parse_domain(host)
            domain = parse_domain(domain or host.partition(".")[2])
        except AddressError:
            raise OperationError(
                f"this machine's full name is not known: {host!r} is none",
                "name it, and the mail domain: --host mx.hospital.example --domain hospital.example",
            ) from None
        return cls(folder, host, domain, test, practice.strip())

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "gateway.toml"

    def begin(self, now: datetime) -> dict[str, Any]:
        """Make everything; refuse where anything of ours is already."""
        if self.config.exists():
            raise OperationError(
                f"{self.config} is there already", "name another folder, or edit that file"
            )
        os.umask(0o077)
        try:
            example = EXAMPLE.read_text("utf-8")
            (self.folder / "pki").mkdir(mode=0o700, parents=True, exist_ok=True)
            self.config.write_text(adapted(example, dict(self._values(example))), "utf-8")
        except OSError as error:
            raise OperationError(
                f"{error.filename} cannot be used: {error.strerror}",
                "name a folder that you may write to; run from a clone of the repository",
            ) from None
        ring = app.create_keys(self.config)
        if self.test:
            self._trial(now)
        else:
            self._request()
        people = self._people() if self.test and self.practice else {}
        return {
            "config": str(self.config),
            "ring": ring["path"],
            "host": self.host,
            "domains": [self.domain],
            "test": self.test,
            **people,
            "next": list(self._steps()),
        }

    def _values(self, example: str) -> Iterator[tuple[tuple[str, str], str]]:
        yield ("site", "name"), _quoted(re.sub(r"[^a-z0-9-]", "-", self.domain)[:40])
        yield ("site", "host"), _quoted(self.host)
        yield ("site", "domains"), f"[{_quoted(self.domain)}]"
        yield ("paths", "data"), _quoted("data")
        yield ("paths", "keys"), _quoted("keys/ring.json")
        for key, name in (("certificate", "gateway.crt"), ("key", "gateway.key")):
            yield ("tls", key), _quoted(f"pki/{name}")
        yield ("tls", "anchors"), _quoted("pki/anchors.pem")
        signers = [_quoted(f"pki/signer-{number}.crt") for number in (1, 2)]
        yield ("trust", "signers"), f"[{', '.join(signers)}]"
        if self.test:
            for section, key, value in _settings(example):
                if section.startswith("listen.") and key == "host":
                    yield (section, key), _quoted("127.0.0.1")
                if section.startswith("listen.") and key == "port":
                    yield (section, key), str(int(value) + _HIGHER)
                if section in _PAGES and key == "port":
                    seen = f"https://localhost:{int(value) + _HIGHER}"
                    yield (_PAGES[section], "origin"), _quoted(seen)

    def _request(self) -> None:
        """Make our private key, and the request by which an authority certifies it."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [self.host, f"autoconfig.{self.domain}"]
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.host)]))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        pki = self.folder / "pki"
        (pki / "gateway.csr").write_bytes(request.public_bytes(Encoding.PEM))
        private = pki / "gateway.key"
        private.touch(mode=0o600)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    @property
    def address(self) -> str:
        """The address of the doctor whose practice it is."""
        last = (self.practice.split() or ["cabinet"])[-1]
        plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode().lower()
        return f"dr.{re.sub(r'[^a-z0-9-]', '', plain) or 'cabinet'}@{self.domain}"

    def _people(self) -> dict[str, Any]:
        """Make the doctor's mailbox, what a mail program logs in with, and a seat at the console."""

        def done(verb: str, **arguments: Any) -> Any:
            return app.alone(self.config, verb, arguments)[1]

        done("mailbox.add", address=self.address, kind="PER", name=self.practice)
        made = done("mailbox.password", address=self.address)
        seat = done("operator.invite", name=self.address.partition("@")[0], role="administrator")
        return {"address": self.address, "password": made["password"], "operator": seat}

    def _trial(self, now: datetime) -> None:
        """Make an authority of this machine's own, our certificate, two signers, and their list."""
        authority, pki = Authority.make(now, "Essai"), self.folder / "pki"
        names = (self.host, f"autoconfig.{self.domain}", "localhost", "127.0.0.1")
        ours = authority.issue(self.host, hosts=names)
        ours.write(pki, "gateway")
        (pki / "anchors.pem").write_bytes(authority.anchors_pem)
        identity = Identity(Way.DN, ours.certificate.subject.rfc4514_string())
        relay = app.settings_of(self.config).listen.relay
        hosts = (Host("127.0.0.1", relay.port),) if relay else ()
        issued = now.replace(microsecond=0)
        content = native.serialise(
            Claims(
                version=1,
                issued=issued,
                stale_after=issued + timedelta(days=365),
                previous=None,
                members=(Member(self.domain, (identity,), hosts),),
            )
        )
        signatures = []
        for number in (1, 2):
            signer = authority.issue(f"Signataire d'essai {number}", signer=True)
            signer.write(pki, f"signer-{number}")
            signatures.append(cms.sign(content, signer.certificate, signer.key))
        octets, *envelopes = (base64.b64encode(each).decode() for each in (content, *signatures))
        app.alone(self.config, "trust.import", {"octets": octets, "signatures": envelopes})

    def _steps(self) -> Iterator[str]:
        config = self.config
        if self.test:
            yield f"sceau serve -c {config}"
            if not self.practice:
                yield f"sceau mailbox add dr.essai@{self.domain} -c {config}, then: mailbox password"
                yield f"sceau operator invite NAME --role administrator -c {config}, for the console"
            yield f"sceau doctor -c {config}"
            return
        yield (
            f"have {self.folder / 'pki' / 'gateway.csr'} certified, and put what comes of it there:"
            " gateway.crt with its chain, anchors.pem, signer-1.crt and signer-2.crt"
        )
        yield f"sceau doctor -c {config}, until nothing fails but the list that is missing"
        yield f"sceau trust import LIST SIGNATURES -c {config}, then: sceau serve -c {config}"
        who = f"{self.address} --name '{self.practice}'" if self.practice else "ADDRESS"
        yield f"sceau mailbox add {who} -c {config}, then: mailbox password"
        yield f"sceau operator invite NAME --role administrator -c {config}, for the console"


def adapted(example: str, values: dict[tuple[str, str], str]) -> str:
    """Return the example with other values; what explains them stays, in its column."""
    lines, section = [], ""
    said = {(section, key) for section, key, _ in _settings(example)}
    for line in example.splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        plain = line.removeprefix("# ")  # a default, which another value makes a setting
        match = _LINE.match(plain)
        place = (section, match["key"] if match else "")
        wanted = values.get(place)
        if match is None or wanted is None or (plain != line and place in said):
            lines.append(line)
            continue
        head, rest = f"{match['key']} = {wanted}", plain[match.end() :]
        lines.append(f"{head:<{match.end() - 1}} {rest}".rstrip())
    return "\n".join(lines) + "\n"


def _settings(example: str) -> Iterator[tuple[str, str, str]]:
    section = ""
    for line in example.splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        elif match := _LINE.match(line):
            yield section, match["key"], match["value"]


def _quoted(text: str) -> str:
    return f'"{text}"'
