"""What makes a message wait for a person, and how far we look into it."""

from pathlib import Path
from typing import Annotated, Self

from annotated_types import Ge, MinLen
from pydantic import AfterValidator, field_validator, model_validator

from gateway.settings.listen import Listen
from gateway.settings.section import MiB, Octets, Seconds, Section, address, domain
from quarantine.budget import Limits
from quarantine.policy import Action, Policy, Rule, named


def _who(value: str) -> str:
    """Return an address or a domain as we write it."""
    return address(value) if "@" in value else domain(value)


DOORS = frozenset({*Listen.model_fields, "folder", "outbox"})  # a laboratory's are doors too
Who = Annotated[str, AfterValidator(_who)]


class QuarantineRule(Section):
    """What is done about some reasons; the first rule that fits counts."""

    reasons: Annotated[tuple[str, ...], MinLen(1)]
    action: Action
    senders: tuple[Who, ...] = ()
    recipients: tuple[Who, ...] = ()
    doors: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Refuse a name that stands for nothing: such a rule would protect from nothing."""
        named(self.reasons)
        for door in self.doors:
            if door not in DOORS:
                raise ValueError(f"there is no door {door}; there are {', '.join(sorted(DOORS))}")
        return self

    @property
    def rule(self) -> Rule:
        """The rule as the policy has it."""
        return Rule(
            named(self.reasons),
            self.action,
            frozenset(each.casefold() for each in self.senders),
            frozenset(each.casefold() for each in self.recipients),
            frozenset(self.doors),
        )


class QuarantineSettings(Section):
    """The rules in their order, the scanner, and the limits of a look."""

    rule: tuple[QuarantineRule, ...] = ()
    scanner: Path | None = None  # clamd's socket; None: nobody is asked
    scanner_timeout: Seconds = 120
    scanner_patience: Seconds = 300
    at_once: Annotated[int, Ge(1)] = 4
    seconds: Annotated[float, Ge(0.1)] = 30
    largest: Octets = 32 * MiB
    unpacked: Octets = 512 * MiB
    entries: Annotated[int, Ge(1)] = 10_000
    depth: Annotated[int, Ge(1)] = 6
    keep_days: Annotated[int, Ge(1)] = 90
    second_operator: tuple[str, ...] = ()
    escrow_keys: tuple[Path, ...] = ()
    rate: Annotated[int, Ge(1)] = 500
    recipients: Annotated[int, Ge(1)] = 50

    @field_validator("second_operator")
    @classmethod
    def _reasons(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(named(value)))

    @property
    def limits(self) -> Limits:
        """How far a look goes."""
        return Limits(self.largest, self.unpacked, self.entries, self.depth)

    @field_validator("escrow_keys")
    @classmethod
    def _apart(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        if len({path.stem for path in value}) < len(value):
            raise ValueError("two keys have the same name: that of the file without its ending")
        return value

    @property
    def policy(self) -> Policy:
        """The rules as they judge."""
        return Policy(tuple(each.rule for each in self.rule), scanner=self.scanner is not None)
