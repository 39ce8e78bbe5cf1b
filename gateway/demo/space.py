"""Who belongs to the demonstration's space: its domains, their certificates, and the list that names them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.demo import clinic
from gateway.demo.lists import Registry
from gateway.demo.pki import Asking, Authority, Issued
from gateway.demo.revocation import Register
from gateway.demo.sites import Site
from smtp.address import Address
from trust.addresses import Kind, Listed
from trust.formats.annuaire import HEADER
from trust.identity import Identity, Way
from trust.members import Host, Member, Status

OUTSIDERS = ("dr.dupont@messagerie-grand-public.example", "patient@fournisseur.example")
PEOPLE = {
    "labo": (("resultats", "APP"), ("dr.martin", "PER")),
    "hopital": (("dr.durand", "PER"), ("accueil", "ORG")),
    "nuit": (("resultats", "APP"), ("garde", "PER")),
}
# Whom the directory knows by a number: for results that name no address.
NUMBERS = {
    "rpps:10003456786": "dr.durand@chu-nord.example",
    "rpps:10007771230": "dr.renard@chu-nord.example",
}
PATIENTS = "patient.mssante.fr"  # the citizens' domain, kept by the hospital's gateway here
PEER, SUSPENDED = "partenaire.example", "clinique-suspendue.example"
REVOKED = "clinique-revoquee.example"


@dataclass(frozen=True, slots=True)
class Pki:
    """The demonstration's authority and what it issued, on disk."""

    folder: Path
    authority: Authority
    issued: dict[str, Issued]

    @classmethod
    def make(
        cls, folder: Path, sites: tuple[Site, ...], at: datetime, crl: str
    ) -> tuple["Pki", list[Issued]]:
        """Make the authority, a certificate for each role, and three who sign the list.

        ``crl`` is where one asks after the certificate that is taken back.
        """
        authority = Authority.make(at)
        issued = {
            site.name: authority.issue(
                f"mx.{site.domain}",
                organisation=site.title,
                hosts=(f"mx.{site.domain}", "127.0.0.1"),
            )
            for site in sites
        }
        issued["broker"] = authority.issue("broker", hosts=("localhost", "127.0.0.1"))
        for role, domain in (
            ("peer", PEER),
            ("suspended", SUSPENDED),
            ("unlisted", "inconnu.example"),
            ("clinic", clinic.DOMAIN),
            ("connect", "connect.example"),
        ):
            issued[role] = authority.issue(f"mx.{domain}", hosts=(f"mx.{domain}", "127.0.0.1"))
        hosts, asking = (f"mx.{REVOKED}", "127.0.0.1"), Asking(crl=(crl,))
        issued["revoked"] = authority.issue(f"mx.{REVOKED}", hosts=hosts, asking=asking)
        signers = [authority.issue(f"Signataire {n}", signer=True) for n in range(1, 4)]
        issued |= {f"signer{n}": signer for n, signer in enumerate(signers, 1)}
        for name, each in issued.items():
            each.write(folder, name)
        (folder / "anchors.pem").write_bytes(authority.anchors_pem)
        return cls(folder, authority, issued), signers

    def crl(self, name: str, at: datetime) -> bytes:
        """Take a role's certificate back; return the authority's list of those."""
        register = Register(self.authority.issuing)
        register.revoke(self.issued[name], at)
        return register.crl(at)

    def paths(self, name: str) -> tuple[Path, Path]:
        """Where a role's certificate and key lie."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"


def enlisted(
    folder: Path,
    pki: Pki,
    signers: list[Issued],
    sites: tuple[Site, ...],
    places: dict[str, tuple[str, int]],
) -> Registry:
    """Return the authority of the list, with the members of the demonstration."""
    made = Registry(folder, signers)
    made.populate()
    for site in sites:
        place = Host("127.0.0.1", site.ports["relay"])
        for domain in (site.domain, *site.beside):
            made.add(Member(domain, (_identity(pki.issued[site.name]),), (place,)))
        made.addresses += [
            Listed(Address(f"{local}@{site.domain}"), Kind(kind))
            for local, kind in PEOPLE[site.name]
        ]
    made.addresses.append(Listed(Address(clinic.DOCTOR), Kind.PER, clinic.HOLDER))
    made.add(
        *(
            Member(domain, (_identity(pki.issued[role]),), (Host("127.0.0.1", port),))
            for domain, (role, port) in places.items()
        ),
        Member(SUSPENDED, (_identity(pki.issued["suspended"]),), status=Status.SUSPENDED),
    )
    return made


def _identity(issued: Issued) -> Identity:
    return Identity(Way.DN, issued.certificate.subject.rfc4514_string())


def extraction() -> str:
    """Return what the directory publishes, in the flat form of the Annuaire Santé."""
    rows = [HEADER, *(_mailbox(*each) for each in NUMBERS.items())]
    return "".join(f"{'|'.join(row)}\n" for row in rows)


def _mailbox(number: str, address: str) -> list[str]:
    told = {
        "Type de BAL": "PER",
        "Adresse BAL": address,
        "Identification nationale PP": f"8{number.removeprefix('rpps:')}",
        "Nom": address.partition("@")[0].removeprefix("dr.").upper(),
        "Libellé profession": "Médecin",
    }
    return [told.get(name, "") for name in HEADER]
