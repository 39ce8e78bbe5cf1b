"""Who signs the demonstration's trust list: version after version, by two of three signers."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from gateway.demo.pki import Issued
from trust.addresses import Addresses, Listed
from trust.formats import native
from trust.identity import Identity, Way
from trust.members import Claims, Member
from trust.signatures import cms

MANY = 1027  # domains that follow their operator elsewhere: such a day was seen
BEFORE, AFTER = "Messagerie des Alpes", "Messagerie de la Loire"


@dataclass(slots=True)
class Registry:
    """The authority of the demonstration's space, and what it has published."""

    folder: Path
    signers: list[Issued]
    members: dict[str, Member] = field(default_factory=dict)
    addresses: list[Listed] = field(default_factory=list)
    version: int = 0
    content: bytes = b""

    def add(self, *members: Member) -> None:
        """Take members in."""
        self.members |= {member.domain: member for member in members}

    def populate(self) -> None:
        """Take in what a space has beside us: a thousand domains of one operator."""
        self.add(*(Member(_name(number), (operator(BEFORE),)) for number in range(MANY)))

    def move(self, also: str) -> None:
        """Let the thousand domains follow to another operator, who may now speak for one more."""
        self.add(*(Member(_name(number), (operator(AFTER),)) for number in range(MANY)))
        member = self.members[also]
        self.add(replace(member, identities=(*member.identities, operator(AFTER))))

    def publish(self, now: datetime) -> list[str]:
        """Write the next version and its signatures; return the files, as an import takes them."""
        self.folder.mkdir(exist_ok=True)
        self.version += 1
        issued = now.replace(microsecond=0)
        claims = Claims(
            version=self.version,
            issued=issued,
            stale_after=issued + timedelta(days=7),
            previous=native.digest(self.content) if self.content else None,
            members=tuple(self.members.values()),
            addresses=Addresses.of(self.addresses),
        )
        self.content = native.serialise(claims)
        listed = self.folder / "list.json"
        listed.write_bytes(self.content)
        files = [listed]
        for number, signer in enumerate(self.signers[:2], 1):
            files.append(self.folder / f"list.json.{number}.p7s")
            files[-1].write_bytes(cms.sign(self.content, signer.certificate, signer.key))
        return [str(path) for path in files]


def operator(name: str) -> Identity:
    """Return how a list knows an operator's certificates."""
    return Identity(Way.DN, f"CN=mss.{name.rsplit(maxsplit=1)[-1].lower()}.example,O={name},C=FR")


def _name(number: int) -> str:
    return f"cabinet-{number:04}.example"
