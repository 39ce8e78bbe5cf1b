"""The verbs of ``sceau operator``: who may come to the console, and as what.

An invitation is for a first visit, or, once somebody has a factor, what replaces it; the latter takes two
operators, or whoever can type a command could be anybody. Nobody lets the last administrator go.
"""

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
    if operator is None:
        try:
            operator = await rooms.operators.add(name, _role(role or Role.VIEWER.value))
        except AccountError as error:
            raise OperationError(str(error), "see sceau operator list") from None
    elif role is not None and _role(role) is not operator.role:
        raise OperationError(
            f"{name} has the role {operator.role}",
            f"sceau operator role {name} {role} changes that",
        )
    if not operator.active:
        raise OperationError(f"{name} was let go", f"sceau operator resume {name} first")
    replaces = bool(rooms.factors.of(operator))
    row = {"name": operator.name, "role": operator.role.value, "replaces": replaces}
    if replaces and not await agreed(rooms, "operator.invite", operator.key):
        return row | {"status": "waiting", "code": None, "link": None, "until": None}
    code, until = await rooms.summons.make(operator, replaces=replaces)
    link = f"{origin(rooms)}/console/invitation?code={code}"
    return row | {"status": "made", "code": code, "link": link, "until": told(until)}


async def role(rooms: Rooms, *, name: str, role: str) -> object:
    """Give an operator another role."""
    operator, wanted = _find(rooms, name), _role(role)
    if wanted is not Role.ADMINISTRATOR:
        _others(rooms, operator)
    return _row(rooms, await rooms.operators.change(operator, role=wanted))


async def suspend(rooms: Rooms, *, name: str) -> object:
    """Let an operator go: their sessions end, and their name stays theirs."""
    operator = _find(rooms, name)
    _others(rooms, operator)
    return _row(rooms, await rooms.operators.change(operator, active=False))


async def resume(rooms: Rooms, *, name: str) -> object:
    """Let an operator come back."""
    return _row(rooms, await rooms.operators.change(_find(rooms, name), active=True))


async def certificate(rooms: Rooms, *, name: str, octets: bytes, remove: bool = False) -> object:
    """Let a certificate open the console to an operator, or no longer."""
    operator = _find(rooms, name)
    mark = _mark(octets)
    other = rooms.operators.with_certificate(mark)
    if other is not None and other.key != operator.key:
        raise OperationError(f"that certificate is {other.name}'s", "one certificate, one person")
    held = operator.certificates - {mark} if remove else operator.certificates | {mark}
    return _row(rooms, await rooms.operators.change(operator, certificates=held))


def origin(rooms: Rooms) -> str:
    """Return where browsers find the console, as far as the settings say."""
    settings = rooms.settings
    if settings.console.origin:
        return settings.console.origin
    listener = settings.listen.console
    return address_of(settings.setup.host or settings.site.host, listener.port if listener else 443)


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
    left = [
        each
        for each in rooms.operators.all()
        if each.active and each.role is Role.ADMINISTRATOR and each.key != operator.key
    ]
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


def _row(rooms: Rooms, operator: Operator) -> dict[str, object]:
    found = rooms.factors.of(operator)
    return {
        "name": operator.name,
        "role": operator.role.value,
        "active": operator.active,
        "created": told(operator.created),
        "factors": [each.kind.value for each in found],
        "certificates": sorted(operator.certificates),
        "used": told(max((each.used for each in found if each.used), default=None)),
    }
