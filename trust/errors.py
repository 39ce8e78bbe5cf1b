"""What can be wrong with a trust list, a signature or a certificate, each in its own words."""


class TrustError(Exception):
    """Something that claims trust does not deserve it; the message says why, for an operator."""


class IdentityError(TrustError, ValueError):
    """A certificate or a distinguished name that cannot be read."""


class ListError(TrustError, ValueError):
    """A trust list that says what a list must not say, or says it in the wrong form."""


class HolderError(TrustError, ValueError):
    """A national identifier that names nobody: of no known form, or with a wrong check digit."""


class SignatureError(TrustError):
    """Too few of the pinned signers signed these bytes."""


class SignerError(SignatureError):
    """These bytes are well signed, by somebody who is not pinned."""


class ChainError(SignerError):
    """The signer's certificate does not lead to a pinned anchor, or not in the time that counts."""


class RevokedError(SignerError):
    """The signer's certificate, or one above it, is revoked."""


class UnsettledError(RevokedError):
    """Nobody can say now whether the signer's certificate is revoked; somebody may later."""


class ApartError(TrustError):
    """Another process that should do some work broke off, or took too long."""
