"""The verbs of ``sceau operator``: who may come to the console, and as what.

Where two must agree, nobody may be both: whatever lets somebody in who is in already (a new invitation,
another certificate), and, once two administrators are there, whatever gives somebody a say, takes two
operators. And nobody lets the last administrator go.
"""

from functools import partial

from gateway.accounts.credentials import fingerprint
from gateway.accounts.mailboxes import AccountError
from gateway.accounts.operators import Operator, Role
from gateway.operations.account import address_of
from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import told


async def list_(rooms: Rooms) -> object:
    """Return every operator there ever was."""
    return [_row(rooms, each) for each in rooms.operators.all()]


async def invite(rooms: Rooms, *, name: str, role: str | None = None) -> object:
    """Give a code by which an operator chooses what they log in with; this answer alone holds it.

    Somebody new is made with the role, viewer if none is said.
    """
    operator = rooms.operators.find(name)
    if operator is not None and role is not None and _role(role) is not operator.role:
        raise OperationError(
            f"{name} has the role {operator.role}",
            f"sceau operator role {name} {role} changes that",
        )
    if operator is not None and not operator.active:
        raise OperationError(f"{name} was let go", f"sceau operator resume {name} first")
    wanted = operator.role if operator else _role(role or Role.VIEWER.value)
    replaces = operator is not None and bool(rooms.factors.of(operator))
    row = {"name": name, "role": wanted.value, "replaces": replaces}
    if not await _agreed(rooms, "operator.invite", f"{name}:{wanted}", operator, wanted):
        return row | {"status": "waiting", "code": None, "link": None, "until": None}
    try:
        operator = operator or await rooms.operators.add(name, wanted)
    except AccountError as error:
        raise OperationError(str(error), "see sceau operator list") from None
    code, until = await rooms.summons.make(operator, replaces=replaces)
    link = f"{origin(rooms)}/console/invitation?code={code}"
    return row | {"status": "made", "code": code, "link": link, "until": told(until)}


async def role(rooms: Rooms, *, name: str, role: str) -> object:
    """Give an operator another role."""
    operator, wanted = _find(rooms, name), _role(role)
    if wanted is not Role.ADMINISTRATOR:
        _others(rooms, operator)
    had = Role.ADMINISTRATOR if operator.role is Role.ADMINISTRATOR else wanted
    if not await _agreed(rooms, "operator.role", f"{operator.key}:{wanted}", None, had):
        return _row(rooms, operator, "waiting")
    return _row(rooms, await rooms.operators.change(operator, role=wanted))


async def suspend(rooms: Rooms, *, name: str) -> object:
    """Let an operator go: their sessions end, and their name stays theirs."""
    operator = _find(rooms, name)
    _others(rooms, operator)
    return _row(rooms, await rooms.operators.change(operator, active=False))


async def resume(rooms: Rooms, *, name: str) -> object:
    """Let an operator come back."""
    operator = _find(rooms, name)
    if not await _agreed(rooms, "operator.resume", operator.key, None, operator.role):
        return _row(rooms, operator, "waiting")
    return _row(rooms, await rooms.operators.change(operator, active=True))


async def certificate(rooms: Rooms, *, name: str, octets: bytes, remove: bool = False) -> object:
    """Let a certificate open the console to an operator, or no longer."""
    operator, mark = _find(rooms, name), _mark(octets)
    if remove:
        left = operator.certificates - {mark}
        return _row(rooms, await rooms.operators.change(operator, certificates=left))
    other = rooms.operators.with_certificate(mark)
    if other is not None and other.key != operator.key:
        raise OperationError(f"that certificate is {other.name}'s", "one certificate, one person")
    subject = f"{operator.key}:{mark}"
    if not await _agreed(rooms, "operator.certificate", subject, operator, operator.role):
        return _row(rooms, operator, "waiting")
    held = operator.certificates | {mark}
    return _row(rooms, await rooms.operators.change(operator, certificates=held))


def origin(rooms: Rooms) -> str:
    """Return where browsers find the console, as far as the settings say."""
    settings = rooms.settings
    if settings.console.origin:
        return settings.console.origin
    listener = settings.listen.console
    return address_of(settings.setup.host or settings.site.host, listener.port if listener else 443)


async def _agreed(
    rooms: Rooms, verb: str, subject: str, operator: Operator | None, role: Role
) -> bool:
    """Whether it takes only one to do that, or a second one has asked for the very same.

    ``operator``: to whom it opens another way in.
    """
    known = operator is not None and _comes(rooms, operator)
    # Those who were let go count too: or one could be rid of the other, and then be alone.
    several = sum(map(partial(_comes, rooms), _administrators(rooms))) > 1
    if not known and (role is Role.VIEWER or not several):
        return True
    return await agreed(rooms, verb, subject)


def _comes(rooms: Rooms, operator: Operator) -> bool:
    """Whether they have something to come in by."""
    return bool(operator.certificates or rooms.factors.of(operator))


def _administrators(rooms: Rooms) -> list[Operator]:
    return [each for each in rooms.operators.all() if each.role is Role.ADMINISTRATOR]


def _find(rooms: Rooms, name: str) -> Operator:
    found = rooms.operators.find(name)
    if found is None:
        raise OperationError(f"there is no operator {name}", "see sceau operator list")
    return found


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        roles = ", ".join(Role)
        raise OperationError(f"there is no role {text}", f"it is one of {roles}") from None


def _others(rooms: Rooms, operator: Operator) -> None:
    """Refuse to take the last administrator away."""
    left = [each for each in _administrators(rooms) if each.active and each.key != operator.key]
    if operator.active and operator.role is Role.ADMINISTRATOR and not left:
        raise OperationError(
            f"{operator.name} is the last administrator",
            "make another one first: sceau operator role",
        )


def _mark(octets: bytes) -> str:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(octets)
    except ValueError:
        raise OperationError("that is no certificate", "give one, as PEM") from None
    from cryptography.hazmat.primitives.serialization import Encoding

    return fingerprint(found.public_bytes(Encoding.DER))


def _row(rooms: Rooms, operator: Operator, status: str = "done") -> dict[str, object]:
    found = rooms.factors.of(operator)
    return {
        "status": status,
        "name": operator.name,
        "role": operator.role.value,
        "active": operator.active,
        "created": told(operator.created),
        "factors": [each.kind.value for each in found],
        "certificates": sorted(operator.certificates),
        "used": told(max((each.used for each in found if each.used), default=None)),
    }
