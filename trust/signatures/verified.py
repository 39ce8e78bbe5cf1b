"""Bytes that somebody may be believed to have signed: the one type that all verifiers make.

``Verified`` holds exactly what was signed, not what was offered: of a signed XML its canonical
bytes, of an enveloped bundle what lies inside. Readers take nothing else, so what nobody signed is
never parsed. Only this room has the witness; an import contract keeps it here.
"""

from dataclasses import InitVar, dataclass, field

WITNESS = object()  # held by this room's verifiers alone


@dataclass(frozen=True, slots=True)
class Verified:
    """Exactly the bytes that the pinned signers signed. Only this room's verifiers make one."""

    content: bytes = field(repr=False)
    signers: frozenset[str]  # who signed: SHA-256 of public keys, fingerprints of OpenPGP keys
    witness: InitVar[object]  # so that dataclasses.replace cannot make one either

    def __post_init__(self, witness: object) -> None:
        if witness is not WITNESS:
            raise TypeError("only a verifier makes a Verified")
