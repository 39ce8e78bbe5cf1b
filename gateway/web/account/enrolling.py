"""Making a factor: the seed of an app's codes, or a passkey, proved before it counts.

Both hang on the form's ticket, so that nothing is kept for a page that never comes back, and the picture
stays the same when a code was mistyped.
"""

import io
from dataclasses import dataclass

import segno
from starlette.requests import Request

from gateway.accounts import factors, passkeys
from gateway.accounts.factors import Factor, Kind
from gateway.web.account.parlour import Parlour
from gateway.web.account.session import Person
from vault.database import Statement

LABEL = 60  # characters of a name that a person gives


@dataclass(frozen=True, slots=True)
class Enrolling:
    """One form, shown and sent."""

    parlour: Parlour
    request: Request
    who: Person
    ticket: str

    def shown(self) -> dict[str, str]:
        """Return what the page needs: the picture, the key that may be typed, the passkey's options."""
        seed = self._seed()
        had = [each.name for each in self.parlour.rooms.factors.of(self.who) if each.name]
        who = (self.who.key, self.who.login)
        party = self.parlour.party(self.request)
        return {
            "picture": _picture(factors.uri(seed, self.who.login, party.name)),
            "seed": " ".join(seed[n : n + 4] for n in range(0, len(seed), 4)),
            "options": passkeys.making(party, self._secret("passkey"), who, had),
        }

    def app(self, code: str, label: str = "") -> tuple[Factor, list[Statement]] | None:
        """Return an app of codes and what adds it, if its code is right; it is used up by that."""
        step = factors.fits(self._seed(), code, self.parlour.rooms.clock())
        if step is None:
            return None
        add = self.parlour.rooms.factors.adding
        return add(self.who, Kind.TOTP, self._seed(), label=label[:LABEL], counter=step)

    def passkey(self, answer: str, label: str = "") -> tuple[Factor, list[Statement]] | None:
        """Return a passkey and what adds it, if the browser's answer is right."""
        made = passkeys.made(self.parlour.party(self.request), self._secret("passkey"), answer)
        if made is None:
            return None
        add = self.parlour.rooms.factors.adding
        return add(
            self.who,
            Kind.PASSKEY,
            made.public,
            label=label[:LABEL],
            counter=made.counter,
            name=made.name,
        )

    def _seed(self) -> str:
        return factors.seed(self._secret("seed"))

    def _secret(self, use: str) -> bytes:
        return self.parlour.visitors.tickets.secret(self.ticket, f"{use}/{self.who.key}")


def _picture(text: str) -> str:
    """Return a QR code as an image that is part of the page: nothing is fetched, nothing is styled."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, nl=False, omitsize=True, border=2
    )
    return out.getvalue().decode()
