"""Passkeys: what a browser's authenticator made and signs, asked and checked.

A passkey alone opens an account, so its authenticator must know its user by a finger, a face or a code
(user verification), and remember whose it is (a resident key). Attestation is not asked for: which make
of key somebody has is nobody's business here. W3C WebAuthn Level 3, §7.1 and §7.2.
"""

from dataclasses import dataclass

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

_LONGEST = 16 << 10  # characters of an answer
# What the library lets escape when an answer is not what it should be.
_WRONG = (
    WebAuthnException,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    RecursionError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Party:
    """For whom passkeys are made: the name that the browser shows, and where it must be."""

    id: str  # the host
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey."""

    name: str
    public: str
    counter: int


def making(party: Party, challenge: bytes, who: tuple[str, str], had: list[str]) -> str:
    """Return, as JSON, what asks a browser for a new passkey of ``who`` (opaque key, address)."""
    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=who[0].encode(),
            user_name=who[1],
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in had
            ],
        )
    )


def made(party: Party, challenge: bytes, answer: str) -> Made | None:
    """Return the passkey that a browser made, or nothing if its answer is not right."""
    try:
        found = verify_registration_response(
            credential=_bounded(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except _WRONG:
        return None
    return Made(
        bytes_to_base64url(found.credential_id),
        bytes_to_base64url(found.credential_public_key),
        found.sign_count,
    )


def showing(party: Party, challenge: bytes) -> str:
    """Return, as JSON, what asks a browser for a passkey that it has."""
    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def named(answer: str) -> str:
    """Return which passkey an answer says that it is of; "" if it says nothing."""
    try:
        found = parse_authentication_credential_json(_bounded(answer))
    except _WRONG:
        return ""
    return bytes_to_base64url(found.raw_id)


def shown(party: Party, challenge: bytes, answer: str, public: str) -> int | None:
    """Return the counter that a passkey signed, or nothing if its answer is not right."""
    try:
        found = verify_authentication_response(
            credential=_bounded(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(public),
            credential_current_sign_count=0,  # compared by who keeps it
            require_user_verification=True,
        )
    except _WRONG:
        return None
    return found.new_sign_count


def _bounded(answer: str) -> str:
    if len(answer) > _LONGEST:
        raise ValueError("too long")
    return answer
