"""What each step of the decision found, in French and in English: the words of ``explain``.

One entry a step that passed, one an objection; a test holds both together with the decision's own
table. For operators' eyes: the sentences name addresses and certificates. Pure. Long because it is
all the words, twice, and nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from smtp import address as addresses
from smtp.address import Address, domain_of
from smtp.envelope import Peer
from trust import decision
from trust.decision import Case, Reason, Step
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.members import Member, Status
from trust.overlay import Denials
from trust.sources import Edition, TrustList


class Said(NamedTuple):
    """One sentence, twice."""

    french: str
    english: str


Words = Callable[[Case], Said]

NO_LIST = Said("Aucune liste vérifiée n'est chargée.", "No verified list is loaded.")
NO_SENDER = Said("Aucun expéditeur n'a été donné.", "No sender was given.")
NO_CONNECTION = Said("Aucune connexion n'a été donnée.", "No connection was given.")


def in_force(listed: TrustList, now: datetime) -> Said:
    """Say which lists are in force."""
    editions = [_edition(edition, now) for edition in listed.editions]
    if len(editions) == 1:
        (only,) = editions
        return Said(
            f"Une source est en vigueur : {only.french}.",
            f"One source is in force: {only.english}.",
        )
    return Said(
        f"{len(editions)} sources sont en vigueur, la première compte le plus : "
        f"{' ; '.join(each.french for each in editions)}.",
        f"{len(editions)} sources are in force, the first counts most: "
        f"{'; '.join(each.english for each in editions)}.",
    )


def may_come_with(member: Member) -> Said:
    """Say by which identities a member may come, where no connection was given."""
    names = ", ".join(str(identity) for identity in member.identities)
    return Said(
        f"Aucune connexion n'a été donnée ; {member.domain} peut venir avec {names}.",
        f"No connection was given; {member.domain} may come with {names}.",
    )


def _edition(edition: Edition, now: datetime) -> Said:
    until, head = (
        f"{edition.claims.stale_after:%F %T} UTC",
        f"{edition.source}, {edition.claims.name}",
    )
    if edition.stale(now):
        return Said(f"{head}, périmée depuis le {until}", f"{head}, stale since {until}")
    return Said(f"{head}, valable jusqu'au {until}", f"{head}, good until {until}")


_KINDS = {True: Said("ouvert", "open"), False: Said("fermé", "closed")}
_STATUSES = {
    Status.ACTIVE: "actif",
    Status.SUSPENDED: "suspendu",
    Status.REVOKED: "révoqué",
}


def _member(member: Member | None, listed: TrustList) -> Said:
    if member is None:
        return Said(
            "L'expéditeur nul <> n'est d'aucun domaine ; sa connexion répond pour lui.",
            "The null sender <> is of no domain; its connection answers for it.",
        )
    kind = _KINDS[member.open]
    names = [edition.source for edition in listed.editions if member.domain in edition.members]
    beside = ", ".join(name for name in names if name != member.source)
    french = f" ({beside} aussi, de moindre rang : cela ne compte pas)" if beside else ""
    english = f" ({beside} too, of lower rank: that does not count)" if beside else ""
    return Said(
        f"{member.domain} est membre : {kind.french}, {_STATUSES[member.status]} ; "
        f"selon {member.source}{french}.",
        f"{member.domain} is a member: {kind.english}, {member.status}; "
        f"so says {member.source}{english}.",
    )


def _fresh(member: Member | None, case: Case) -> Said:
    if decision.within(case):
        return Said(
            "Le message reste entre nos propres boîtes : il n'y faut aucune liste à jour.",
            "The message stays between our own mailboxes: that needs no fresh list.",
        )
    if member is None:
        return Said("Une liste au moins est à jour.", "At least one list is fresh.")
    source = _source(member, case)
    return Said(
        f"La liste qui nomme {member.domain} : {source.french}.",
        f"The list that names {member.domain}: {source.english}.",
    )


def _source(member: Member, case: Case) -> Said:
    edition = case.listed.edition(member.source)
    return Said("", "") if edition is None else _edition(edition, case.now)


def _stale(case: Case) -> Said:
    if _eclipsed(case):
        return Said(
            "Une liste qui était en vigueur est illisible pour l'instant, et nommait peut-être ce domaine.",
            "A list that was in force cannot be read for now, and it may have named this domain.",
        )
    for member in (case.theirs, case.ours):
        if member is not None and case.listed.stale_for(member, case.now):
            source = _source(member, case)
            return Said(
                f"Trop ancienne pour garantir {member.domain} : {source.french}.",
                f"Too old to vouch for {member.domain}: {source.english}.",
            )
    return Said(
        "Toute liste qui pourrait le nommer est trop ancienne pour garantir quiconque.",
        "Every list that could name it is too old to vouch for anybody.",
    )


def _eclipsed(case: Case) -> bool:
    ends = [(case.ours, True), (case.theirs, case.sender is not None)]
    eclipsed = case.listed.eclipsed
    return eclipsed is not None and any(
        asked and (member is None or member.source in eclipsed) for member, asked in ends
    )


def _denied(address: Address, member: Member | None, denied: Denials) -> Said:
    if addresses.key(address) in denied.addresses:
        return Said(f"Nous refusons {address} ici même.", f"We deny {address} here ourselves.")
    if (domain := domain_of(address)) in denied.domains:
        return Said(
            f"Nous refusons tout {domain} ici même.",
            f"We deny the whole of {domain} here ourselves.",
        )
    names = ", ".join(str(identity) for identity in member.identities) if member else ""
    return Said(
        f"Nous refusons ici même les seuls opérateurs qui parlent pour {domain} : {names}.",
        f"We deny the only operators who speak for {domain} here ourselves: {names}.",
    )


def _address(address: Address | None, member: Member | None, listed: TrustList) -> Said:
    if address is None or member is None:
        return Said(
            "L'expéditeur nul <> n'est pas une adresse.", "The null sender <> is no address."
        )
    entry = listed.listed(address)
    if entry is None:
        return Said(
            f"{member.domain} est ouvert : il garantit toutes ses adresses.",
            f"{member.domain} is open: it vouches for all its addresses.",
        )
    held, pinned = entry.holder, entry.pins
    return Said(
        f"{address} est inscrite : {entry.kind}{f', tenue par {held}' if held else ''}"
        f"{', liée à certaines clés' if pinned else ''}.",
        f"{address} is listed: {entry.kind}{f', held by {held}' if held else ''}"
        f"{', pinned to certain keys' if pinned else ''}.",
    )


def _peer(case: Case) -> Said:
    if case.peer.login is not None:
        return Said(f"Connecté comme {case.peer.login}.", f"Logged in as {case.peer.login}.")
    certificate, whom = _certificate(case.peer), _whom(case)
    return Said(
        f"{certificate.french} parle pour {whom.french}.",
        f"{certificate.english} speaks for {whom.english}.",
    )


def _certificate(peer: Peer) -> Said:
    try:
        certificate = Certificate.parse(peer.certificate or b"")
    except IdentityError:
        return Said("Le certificat de la connexion", "The connection's certificate")
    return Said(
        f"Le certificat {certificate.text} (clé publique {certificate.spki_sha256})",
        f"The certificate {certificate.text} (public key {certificate.spki_sha256})",
    )


def _certified(case: Case) -> Said:
    if case.peer.certificate is None:
        return Said(
            "La connexion ne montre aucun certificat.", "The connection shows no certificate."
        )
    try:
        certificate = Certificate.parse(case.peer.certificate)
    except IdentityError:
        return Said(
            "Il est illisible, et ne garantit donc rien.",
            "It cannot be read, and so vouches for nothing.",
        )
    bridge = case.listed.overlay.bridges.over(certificate, case.now)
    if bridge is not None:
        return Said(
            f"Il a expiré le {certificate.not_after:%F} ; le pont de {bridge.asked_by} et "
            f"{bridge.confirmed_by} le porte jusqu'au {bridge.ends:%F %T} UTC.",
            f"It expired on {certificate.not_after:%F}; the bridge of {bridge.asked_by} and "
            f"{bridge.confirmed_by} carries it until {bridge.ends:%F %T} UTC.",
        )
    standing = _standing(case)
    return Said(
        f"Il est dans ses dates, et n'est pas révoqué{standing.french}.",
        f"It is in its dates, and not revoked{standing.english}.",
    )


def _standing(case: Case) -> Said:
    certificate = Certificate.parse(case.peer.certificate or b"")
    standing = case.listed.overlay.certificates.of(certificate.fingerprint, case.now)
    words = [word for word in (standing.source.value.upper(), standing.why) if word != "NONE"]
    if not any(words) and not standing.until:
        return Said("", "")
    said, until = (
        " ".join(filter(None, words)),
        f"{standing.until:%F %T} UTC" if standing.until else "",
    )
    french = f", valable jusqu'au {until}" if until else ""
    english = f", good until {until}" if until else ""
    return Said(f" ({said}{french})", f" ({said}{english})")


def _whom(case: Case) -> Said:
    if case.sender is None:
        return Said("un membre", "a member")
    return Said(domain_of(case.sender), domain_of(case.sender))


def _not_entitled(case: Case) -> Said:
    if case.peer.login is not None:
        return Said(
            f"Connecté comme {case.peer.login}, dont le domaine n'est pas membre.",
            f"Logged in as {case.peer.login}, whose domain is no member.",
        )
    known = ", ".join(str(identity) for identity in case.theirs.identities) if case.theirs else ""
    certificate, whom = _certificate(case.peer), _whom(case)
    return Said(
        f"{certificate.french} ne parle pas pour {whom.french}"
        f"{f' ; la liste nomme {known}' if known else ''}.",
        f"{certificate.english} does not speak for {whom.english}"
        f"{f'; the list names {known}' if known else ''}.",
    )


def _came(case: Case, french: str, english: str) -> Said:
    certificate = _certificate(case.peer)
    return Said(
        f"{french} {certificate.french} est venu.", f"{english} {certificate.english} came."
    )


def _revoked(case: Case) -> Said:
    certificate, standing = _certificate(case.peer), _standing(case)
    return Said(
        f"{certificate.french} est révoqué{standing.french}.",
        f"{certificate.english} is revoked{standing.english}.",
    )


def _unknown(case: Case) -> Said:
    standing = _standing(case)
    return _came(
        case,
        f"Personne ne le garantit à présent{standing.french}.",
        f"Nobody vouches for it now{standing.english}.",
    )


def _of_peer(french: str, english: str) -> Words:
    def words(case: Case) -> Said:
        certificate = _certificate(case.peer)
        return Said(french.format(certificate.french), english.format(certificate.english))

    return words


def _sender(french: str, english: str) -> Words:
    def words(case: Case) -> Said:
        domain = case.sender and domain_of(case.sender)
        return Said(french.format(case.sender, domain), english.format(case.sender, domain))

    return words


def _recipient(french: str, english: str) -> Words:
    def words(case: Case) -> Said:
        address, domain = case.recipient, domain_of(case.recipient)
        return Said(french.format(address, domain), english.format(address, domain))

    return words


def _always(french: str, english: str) -> Words:
    return lambda _: Said(french, english)


_NOT_DENIED = _always(
    "Aucun de nos exploitants ne l'a refusé.", "No operator of ours has denied it."
)

# In the order of decision.STEPS; a test holds the two together.
PASSED: Mapping[Step, tuple[str, Words]] = {
    decision.sender_denied: ("sender-denial", _NOT_DENIED),
    decision.peer_denied: ("peer-denial", _NOT_DENIED),
    decision.sender_in_force: ("sender-list", lambda case: _fresh(case.theirs, case)),
    decision.sender_member: ("sender-member", lambda case: _member(case.theirs, case.listed)),
    decision.peer_entitled: ("peer-entitled", _peer),
    decision.peer_certified: ("peer-certified", _certified),
    decision.sender_address: (
        "sender-address",
        lambda case: _address(case.sender, case.theirs, case.listed),
    ),
    decision.recipient_denied: ("recipient-denial", _NOT_DENIED),
    decision.recipient_in_force: ("recipient-list", lambda case: _fresh(case.ours, case)),
    decision.recipient_member: (
        "recipient-member",
        lambda case: _member(case.ours, case.listed),
    ),
    decision.recipient_address: (
        "recipient-address",
        lambda case: _address(case.recipient, case.ours, case.listed),
    ),
    decision.recipient_suspended: (
        "recipient-suspended",
        _recipient("{1} n'est pas suspendu.", "{1} is not suspended."),
    ),
    decision.sender_suspended: (
        "sender-suspended",
        _sender("L'expéditeur n'est pas suspendu.", "The sender is not suspended."),
    ),
}

_WAITS = (
    "Un changement qui attend une approbation ajouterait {1}, le retirerait, ou changerait qui parle pour lui.",
    "A change that awaits approval would add {1}, take it away or alter who speaks for it.",
)
_NO_MEMBER = ("{1} n'est pas membre.", "{1} is no member.")
_WAS_REVOKED = (
    "{1} était membre, et est révoqué.",
    "{1} was a member and is revoked.",
)
_NOT_LISTED = (
    "{1} est fermé, et {0} n'y est pas inscrite.",
    "{1} is closed, and {0} is not listed in it.",
)

OBJECTIONS: Mapping[Reason, Words] = {
    Reason.LIST_STALE: _stale,
    Reason.SENDER_DENIED: lambda case: _denied(
        case.sender or case.peer.login or case.recipient, case.theirs, case.listed.overlay.denied
    ),
    Reason.SENDER_NOT_LISTED: _sender(*_NO_MEMBER),
    Reason.SENDER_REVOKED: _sender(*_WAS_REVOKED),
    Reason.SENDER_AWAITS_APPROVAL: _sender(*_WAITS),
    Reason.SENDER_ADDRESS_NOT_LISTED: _sender(*_NOT_LISTED),
    Reason.SENDER_SUSPENDED: _sender(
        "{1} est suspendu : son courrier attend une personne.",
        "{1} is suspended: its mail waits for a person.",
    ),
    Reason.PEER_DENIED: _of_peer(
        "{} est refusé ici par nous-mêmes.", "{} is denied here by ourselves."
    ),
    Reason.PEER_ANONYMOUS: _always(
        "La connexion n'a ni identifiant ni certificat.",
        "The connection has neither a log-in nor a certificate.",
    ),
    Reason.PEER_UNREADABLE: _always(
        "Le certificat de la connexion est illisible.",
        "The connection's certificate cannot be read.",
    ),
    Reason.PEER_NOT_ENTITLED: _not_entitled,
    Reason.PEER_EXPIRED: _of_peer("{} est hors de ses dates.", "{} is outside its dates."),
    Reason.PEER_CERTIFICATE_REVOKED: _revoked,
    Reason.PEER_CERTIFICATE_UNKNOWN: _unknown,
    Reason.LOGIN_NOT_SENDER: lambda case: Said(
        f"Connecté comme {case.peer.login}, et non comme l'expéditeur.",
        f"Logged in as {case.peer.login}, not as the sender.",
    ),
    Reason.PIN_REQUIRED: lambda case: _came(
        case,
        f"{case.sender} est liée à d'autres certificats.",
        f"{case.sender} is pinned to other certificates.",
    ),
    Reason.RECIPIENT_DENIED: lambda case: _denied(
        case.recipient, case.ours, case.listed.overlay.denied
    ),
    Reason.RECIPIENT_NOT_LISTED: _recipient(*_NO_MEMBER),
    Reason.RECIPIENT_REVOKED: _recipient(*_WAS_REVOKED),
    Reason.RECIPIENT_AWAITS_APPROVAL: _recipient(*_WAITS),
    Reason.RECIPIENT_ADDRESS_NOT_LISTED: _recipient(*_NOT_LISTED),
    Reason.RECIPIENT_SUSPENDED: _recipient(
        "{1} est suspendu : le courrier pour lui attend.",
        "{1} is suspended: mail for it waits.",
    ),
}
