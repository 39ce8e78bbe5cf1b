"""What can be wrong with a trust list, a signature or a certificate, each in its own words."""


class TrustError(Exception):
    """Something that claims trust does not deserve it; the message says why, for an operator."""


class IdentityError(TrustError, ValueError):
    """A certificate or a distinguished name that cannot be read."""


class ListError(TrustError, ValueError):
    """A trust list that says what a list must not say, or says it in the wrong form."""


class SignatureError(TrustError):
    """Too few of the pinned signers signed these bytes."""
