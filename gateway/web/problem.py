"""What a web client is told when it cannot have what it asked: a fixed sentence for each reason.

Nothing of a request, and nothing of an error, is ever quoted; who handed a result in is told besides,
in words of ours, why it was not taken. RFC 9457.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.responses import Response

SENTENCES: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be understood; see /v1/openapi.json"),
    "too-little": (400, "That is too little to look for: give an address, or a word of it"),
    "no-page": (400, "There is no such page: ask more exactly instead"),
    "key-needed": (400, "Say an Idempotency-Key, or give the mail a Message-ID"),
    "log-in-needed": (401, "Log in: a token, or a mailbox address and an application password"),
    "log-in-failed": (401, "This token, or this address and password, is not accepted"),
    "not-allowed": (403, "This token is not for that; ask your operator for one that is"),
    "not-theirs": (
        403,
        "This certificate does not speak for whom it is kept for, as the list says",
    ),
    "old-form": (403, "This form is too old, or did not come from a page of ours; open it again"),
    "no-right": (403, "You have no right to do that in this mailbox"),
    "not-found": (404, "There is nothing at this address"),
    "wrong-method": (405, "This address is not asked in that way"),
    "too-slow": (408, "The request took too long to arrive, or to answer"),
    "in-hand": (409, "A result of that key is being handed in at this moment; ask again"),
    "too-big": (413, "The request is larger than this gateway takes"),
    "wrong-type": (415, "It is a message/rfc822, or a form of a PDF, CDA or mail and its order"),
    "no-such-range": (416, "The document is shorter than that; ask for it from its beginning"),
    "not-taken": (422, "Nothing was sent; the words say why, and each recipient's why not"),
    "other-bytes": (
        422,
        "Another result was handed in under this key; a corrected one needs a key of its own",
    ),
    "too-many": (429, "Too many requests; wait and try again"),
    "throttled": (429, "Too many failed log-ins; wait a few minutes and try again"),
    "failed": (500, "Something failed here; the operators can find it by the request's number"),
    "not-now": (503, "It cannot be taken now; offer it again later, under the same key"),
    "list-missing": (503, "No trust list is in force here; try again later"),
}
_STATUSES = {400: "bad-request", 404: "not-found", 405: "wrong-method", 413: "too-big"}


class Problem(Exception):  # noqa: N818 - it is an answer
    """An answer that is a refusal."""

    def __init__(
        self,
        reason: str,
        headers: Mapping[str, str] | None = None,
        told: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(reason)
        self.told = dict(told or {})  # words of ours for who logged in
        self.reason = reason
        self.status, self.sentence = SENTENCES[reason]
        self.headers = dict(headers or {})

    @classmethod
    def too_big(cls, came: int, largest: int, what: str = "request") -> "Problem":
        """Return the problem that so many octets are; ``came``: as declared, or when it was stopped."""
        words = f"The {what} is larger than this gateway takes: it has {came} octets, and {largest} are allowed"
        told = {"detail": words, "largest": largest, "came": came}
        return cls("too-big", {"Connection": "close"}, told)

    @classmethod
    def of_status(cls, status: int, headers: Mapping[str, str] | None = None) -> "Problem":
        """Return the problem that a bare status of HTTP is."""
        return cls(_STATUSES.get(status, "bad-request" if status < 500 else "failed"), headers)

    def response(self, request_id: str) -> Response:
        """Return it as it goes out."""
        told = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "reason": self.reason,
            "detail": self.sentence,
            "request": request_id,
            **self.told,
        }
        return Response(
            msgspec.json.encode(told), self.status, self.headers, "application/problem+json"
        )
