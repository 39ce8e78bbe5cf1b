"""What a program says that it made of a document, as a small JSON object. Pure.

``{"application": "filed"}``, or ``{"application": "failed", "failure": 902}``; the same by HTTPS and in a
file beside the message. R-F5.
"""

from typing import Annotated, Literal

import msgspec

from gateway.documents.codes import Failure

LARGEST = 4 << 10  # octets


class SaidError(Exception):
    """It is no such object."""


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    application: Literal["filed", "failed"]
    failure: Annotated[int, msgspec.Meta(ge=900, le=906)] = Failure.OTHER.value


def read(content: bytes) -> Failure | None:
    """Return why the document was not filed; None: it was. Raise ``SaidError`` for anything else."""
    if len(content) > LARGEST:
        raise SaidError
    try:
        said = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SaidError from None
    return Failure(said.failure) if said.application == "failed" else None


_DECODER = msgspec.json.Decoder(_Said)
