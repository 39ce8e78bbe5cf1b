"""``sceau send``: hand results in from anywhere, by HTTPS, as a laboratory's software does.

It needs no gateway's configuration: an address, the authority to believe, and a token or a certificate.
What was interrupted is offered again, and is the same message: docs/laboratories.md.
"""

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import show
from gateway.cli.call import Asking
from gateway.operations.error import OperationError
from smtp import tls

if TYPE_CHECKING:
    import httpx

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_TYPES = {
    ".eml": "message/rfc822",
    ".xml": "application/xml",
    ".pdf": "application/pdf",
    ".hl7": "application/hl7-v2",
    ".hpr": "application/hprim",
}
_TRIES, _LONGEST = 4, 60.0  # offers of one file; seconds between two
_LATER = frozenset({409, 429, 503})
_LOST = frozenset({"failed", "expired", "refused", "cancelled"})
_BLOCK = 64 << 10


class _Counted(io.FileIO):
    """A file that tells how far it was read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path)
        self._tell = tell

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(_BLOCK if size is None else size)
        self._tell(self.tell())
        return block or b""

    def blocks(self) -> Iterator[bytes]:
        while block := self.read(_BLOCK):
            yield block


@dataclass(frozen=True, slots=True)
class _Line:
    """The gateway, and how a file is offered to it."""

    client: "httpx.Client"
    to: tuple[str, ...]
    order: Path | None
    key: str
    critical: bool = False

    def sent(self, path: Path) -> dict[str, Any]:
        """Offer one file until it is answered; return what became of it."""
        import httpx

        answer = None
        for left in reversed(range(_TRIES)):
            try:
                answer = self._offered(path)
            except httpx.ConnectError:
                raise OperationError("the gateway is not reached", _WHERE) from None
            except httpx.TransportError:
                if not left:
                    raise OperationError(
                        "the connection broke off, again and again", "try again: nothing is doubled"
                    ) from None
                continue
            if answer.status_code not in _LATER or not left:
                break
            said = answer.headers.get("retry-after", "1")
            time.sleep(min(float(said) if said.isdecimal() else 1.0, _LONGEST))
        assert answer is not None
        return {"file": str(path), **_read(answer)}

    def _offered(self, path: Path) -> "httpx.Response":
        headers = {"Idempotency-Key": self.key} if self.key else {}
        urgent = {"critical": "true"} if self.critical else {}
        kind = _TYPES.get(path.suffix.lower())
        if kind is None:
            raise OperationError(f"{path.name} is not sent", f"it is one of {', '.join(_TYPES)}")
        with (
            show.counting(f"octets of {path.name}", path.stat().st_size) as tell,
            _Counted(path, tell) as file,
        ):
            said = self._said(path)
            if kind == _TYPES[".eml"] and said is None:
                headers |= {"Content-Type": kind, "Content-Length": str(path.stat().st_size)}
                asked = {"to": self.to, **urgent}
                return self.client.post(
                    "/v1/messages", content=file.blocks(), headers=headers, params=asked
                )
            files: dict[str, Any] = {"document": ("document", file, kind)}
            if said is not None:
                files["order"] = (None, said, "application/json")
            return self.client.post("/v1/messages", files=files, headers=headers, params=urgent)

    def _said(self, path: Path) -> bytes | None:
        """Return what is said of a file: beside it, or where it was told to look; with ``--to``."""
        beside = self.order or path.with_name(f"{path.name}.json")
        if not beside.exists():
            plain = not self.to or path.suffix.lower() == ".eml"
            return None if plain else json.dumps({"to": self.to}).encode()
        if not self.to:
            return beside.read_bytes()
        try:
            return json.dumps({**json.loads(beside.read_bytes()), "to": self.to}).encode()
        except (ValueError, TypeError):
            raise OperationError(f"{beside.name} is no JSON object") from None

    def settled(self, row: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Return what became of a message for each recipient, waiting for it so long."""
        refused = [each for each in row["recipients"] if not each["taken"]]
        while not row.get("final", True) and time.monotonic() < deadline:
            time.sleep(0.2)
            told = _read(self.client.get(f"/v1/messages/{row['message']}"))
            row = {**row, **told, "recipients": [*told["recipients"], *refused]}
        return row


_WHERE = "see --url: the gateway's [listen.web], and --anchors: the authority of its certificate"


def _read(answer: "httpx.Response") -> dict[str, Any]:
    """Return an answer; of a result that was not taken, why."""
    try:
        told = answer.json()
    except ValueError:
        raise OperationError(f"what answers ({answer.status_code}) is no Sceau", _WHERE) from None
    if answer.is_success:
        return dict(told)
    if answer.status_code in {401, 403}:
        raise OperationError(told["detail"], "see --token-file, --certificate: scope submit")
    return {
        "reason": told["reason"],
        "words": told.get("words") or told["detail"],
        "recipients": told.get("recipients", []),
        **({"ack": told["ack"]} if "ack" in told else {}),
    }


@click.command("send")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--url", envvar="SCEAU_URL", required=True, help="The gateway: https://HOST[:PORT].")
@click.option(
    "--anchors",
    envvar="SCEAU_ANCHORS",
    required=True,
    type=_FILE,
    help="The authority of its certificate; no other is believed.",
)
@click.option("--token-file", envvar="SCEAU_TOKEN_FILE", type=_FILE, help="A token to submit with.")
@click.option("--certificate", type=_FILE, help="Or the mailbox's certificate,")
@click.option("--certificate-key", type=_FILE, help="and its key.")
@click.option("--to", multiple=True, help="Who gets it: an address, rpps:…, finess:…; repeat it.")
@click.option("--order", type=_FILE, help="What the file is. [default: FILE.json, if it is there]")
@click.option(
    "--key",
    default="",
    help="What the result is known by: offered again under it, it is sent once.",
)
@click.option("--critical", is_flag=True, help="It may not wait: told to a person if it is late.")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=0,
    help="How long to wait for the last answers; 0: not at all.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
def command(*, files: tuple[Path, ...], key: str, wait: float, as_json: bool, **how: Any) -> None:
    """Hand results in: each FILE a mail (.eml), a PDF with its JSON, a CDA document (.xml), HL7 or HPRIM."""
    if key and len(files) > 1:
        raise click.UsageError("one --key is for one file")
    to, order, critical = tuple(how.pop("to")), how.pop("order"), how.pop("critical")
    with _client(**how) as client:
        line = _Line(client, to, order, key, critical=critical)
        rows = [line.sent(each) for each in files]
        deadline = time.monotonic() + wait
        rows = [line.settled(row, deadline) if "message" in row else row for row in rows]
    Asking(files[0], as_json=as_json).answer(rows, _told)
    lost = sum(_lost(row) for row in rows)
    if lost:
        raise OperationError(f"{lost} of {len(rows)} did not reach everybody", "the words say why")


def _client(
    url: str,
    anchors: Path,
    token_file: Path | None,
    certificate: Path | None,
    certificate_key: Path | None,
) -> "httpx.Client":
    import httpx

    if not url.startswith("https://"):
        raise click.UsageError("--url begins with https://")
    headers = {}
    try:
        context = tls.asking_context(anchors.read_bytes() or b"\n")  # an empty file is a fault
        if certificate is not None:
            context.load_cert_chain(certificate, certificate_key)
    except (OSError, tls.TlsError):
        raise OperationError("a certificate, its key or the anchors cannot be read") from None
    if token_file is not None:
        headers["Authorization"] = f"Bearer {token_file.read_text('ascii', 'replace').strip()}"
    # Nothing of the environment: neither a proxy nor an authority that it names is believed.
    return httpx.Client(
        base_url=url, verify=context, headers=headers, timeout=60.0, trust_env=False
    )


def _lost(row: dict[str, Any]) -> bool:
    return "message" not in row or any(each["state"] in _LOST for each in row["recipients"])


def _told(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        name = Path(row["file"]).name
        if "message" in row:
            how = "taken before" if row["again"] else "taken"
            click.echo(f"{name}: {how}, reference {row.get('reference', '?')}")
        else:
            click.echo(f"{name}: not sent. {row['words']}")
        for each in row["recipients"]:
            words = f" ({each['words']})" if each.get("words") else ""
            click.echo(f"  {each['address']}: {each['state']}{words}")
