"""What the machine must give: a clock that is right, a disk that keeps its word, somebody at the desk."""

import ctypes
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gateway.doctor.beliefs import Ask
from gateway.doctor.finding import Finding, fail, ok, warn
from gateway.running import checks
from gateway.settings import Settings
from smtp import tls

_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_TIMEX = 256  # octets: more than the structure has anywhere
_PATIENCE = 5.0
_MOUNTS = Path("/proc/self/mounts")
# Where a lock or an fsync is a promise of somebody else's, or of nobody's.
_FAR = frozenset({"9p", "afs", "ceph", "cifs", "glusterfs", "nfs", "nfs4", "smb3", "smbfs"})
_FLEETING = {
    "tmpfs": "what lies there is gone with the power",
    "ramfs": "what lies there is gone with the power",
    "overlay": "what lies there is gone with the container: give it a volume",
    "vfat": "it knows neither owners nor permissions",
    "exfat": "it knows neither owners nor permissions",
}


def clock(asked: Callable[[], int] | None = None) -> Iterator[Finding]:
    """Ask the kernel whether something keeps its clock right."""
    try:
        state = (asked or _kernel)()
    except (OSError, AttributeError):
        yield warn("clock", "this system does not say whether its clock is kept right", "see to it")
        return
    if state == _UNSYNCHRONISED:
        yield warn(
            "clock",
            "nothing keeps this machine's clock right",
            "run a time service (chrony, systemd-timesyncd): certificates and lists are judged by it",
        )
    else:
        yield ok("clock", "a time service keeps it right")


def _kernel() -> int:
    library = ctypes.CDLL(None, use_errno=True)
    state: int = library.adjtimex(ctypes.create_string_buffer(_TIMEX))
    if state < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return state


def durability(settings: Settings, mounts: Path = _MOUNTS) -> Iterator[Finding]:
    """Look at what kind of disk a 250 is promised on."""
    folder = settings.paths.data
    if not folder.exists():
        return
    kind = filesystem(folder.resolve(), mounts)
    if kind in _FAR:
        yield fail(
            "durability",
            f"{folder} lies on {kind}: SQLite's locks and fsync cannot be relied on over a network",
            "put the data on a disk of this machine",
        )
    elif kind in _FLEETING:
        yield warn("durability", f"{folder} lies on {kind}: {_FLEETING[kind]}", "for trials alone")
    else:
        where = f"on {kind}" if kind else "on a disk that this system does not name"
        yield ok("durability", f"{folder} lies {where}; a commit is synced before a 250")


def filesystem(folder: Path, mounts: Path) -> str:
    """Return the kind of file system that a folder lies on; nothing if that is not known."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        _, at, of, *_ = [*line.split(), "", "", ""]
        place = at.replace("\\040", " ")
        inside = folder == Path(place) or Path(place) in folder.parents
        if at and inside and len(place) >= len(best):
            best, kind = place, of
    return kind


def siem(settings: Settings) -> Iterator[Finding]:
    """Shake hands with the SIEM as the gateway would; nothing is told."""
    found = settings.siem
    if not found.host:
        return
    where = f"{found.host}:{found.port}"
    context = tls.asking_context(
        checks.readable(found.anchors or settings.tls.anchors, "the anchor file")
    )
    if found.client_certificate:
        context.load_cert_chain(settings.tls.certificate, settings.tls.key, password="")
    try:
        with (
            socket.create_connection((found.host, found.port), _PATIENCE) as line,
            context.wrap_socket(line, server_hostname=found.host),
        ):
            yield ok("siem", f"{where} is reached, and is who it should be")
    except ssl.SSLCertVerificationError as error:
        yield fail("siem", f"{where} is not believed: {error.verify_message}", "see [siem] anchors")
    except OSError as error:
        why = error.strerror or type(error).__name__
        cure = "look at it, and at [siem]; rows wait in the journal, mail goes on"
        yield warn("siem", f"{where} is not reached ({why})", cure)


def desk(settings: Settings, ask: Ask) -> Iterator[Finding]:
    """Look at whether anybody may sit at the console, and from where."""
    door = settings.listen.console
    if door is None:
        return
    operators: Sequence[dict[str, object]] = ask("operator.list")
    chiefs = [each for each in operators if each["role"] == "administrator" and each["active"]]
    inside = [each for each in chiefs if each["factors"] or each["certificates"]]
    if inside:
        yield ok("console", f"{len(inside)} may do everything there")
    elif chiefs:
        name = chiefs[0]["name"]
        yield warn(
            "console",
            f"it is open, and {name} has not come in yet, nor any other administrator",
            f"open the link of the invitation; or sceau operator invite {name} --role administrator",
        )
    else:
        yield warn(
            "console",
            "it is open, and no administrator may come in",
            "sceau operator invite NAME --role administrator",
        )
    if door.host in {"0.0.0.0", "::", ""}:
        yield warn(
            "console",
            f"it listens on {door.host or 'every address'}",
            "let it listen on a network of operators alone: [listen.console] host",
        )
