"""Debian's Thunderbird with a fresh profile and no screen, used by mouse and keyboard as a person would.

It asks for its configuration at ``https://autoconfig.DOMAIN`` as ever; a small proxy stands in for the
name service and the port 443 of the world outside, knows our host alone, and refuses all others.
"""

import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.interop.marionette import PATIENCE, Marionette, MarionetteError, port_of

COMMAND = (
    *("thunderbird", "--headless", "--no-remote"),
    *("--marionette", "--remote-allow-system-access"),
)
_ENDS = 15.0
_TRIES = 3

# Where things are on its screen: each is an element, or nothing yet.
_SCREEN = """
const hub = id => document.querySelector("account-hub-container").shadowRoot.getElementById(id)
    ?? [...document.querySelector("account-hub-container").shadowRoot.querySelectorAll("#" + id)]
        .find(each => each.checkVisibility());
const tabs = () => document.getElementById("tabmail");
const pane = () => tabs().tabInfo[0].chromeBrowser.contentWindow;
const folder = name => [...pane().document.querySelectorAll("#folderTree li")]
    .find(each => each.getAttribute("aria-label")?.startsWith(name))?.querySelector(".name");
const row = words => [...pane().document.querySelectorAll("#threadTree tr")]
    .find(each => each.textContent.includes(words));
const letter = id => pane().messageBrowser.contentDocument.getElementById(id);
const place = each => {
  if (!each?.checkVisibility() || each.disabled) return null;
  each.scrollIntoView({block: "nearest"});
  const box = each.getBoundingClientRect();
  let x = box.x + box.width / 2, y = box.y + box.height / 2;
  for (let view = each.ownerDocument.defaultView; view.browsingContext.embedderElement;) {
    const frame = view.browsingContext.embedderElement, around = frame.getBoundingClientRect();
    x += around.x; y += around.y; view = frame.ownerDocument.defaultView;
  }
  return box.width && box.height ? [Math.round(x), Math.round(y)] : null;
}
"""
_BELIEVE = """Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)
.addCertFromBase64(arguments[0], "CT,C,C")"""


class Thunderbird:
    """One that runs."""

    def __init__(self, line: Marionette) -> None:
        self.line = line

    def believe(self, anchors: Path) -> None:
        """Take an authority in, as the certificate manager's Import does."""
        lines = anchors.read_text("ascii").splitlines()
        self.line.ask(_BELIEVE, "".join(each for each in lines if not each.startswith("-----")))

    def click_until(self, element: str, expression: str) -> None:
        """Click, and again as people do when nothing came of it, until the expression is true.

        The list of messages is drawn anew while it fills: a click may fall between two drawings.
        """
        for _ in range(_TRIES - 1):
            self.click(element)
            with suppress(MarionetteError):
                self.line.until(expression, patience=PATIENCE / _TRIES)
                return
        self.click(element)
        self.line.until(expression)

    def click(self, element: str) -> None:
        """Click on what an expression finds, as soon as it is there."""
        x, y = self.line.until(f"place({element})")
        self.line.click(x, y)

    def fill(self, element: str, text: str) -> None:
        """Type into a field that is empty, or that a click empties."""
        self.click(element)
        self.line.ask(f"{element}.select()")
        self.line.type(text)

    @contextmanager
    def window(self) -> Iterator[None]:
        """Go on in the window that opens, until it closes."""
        before = self.line.window
        (other,) = self._opened(before)
        self.line.switch(other)
        self.line.until("document.readyState === 'complete' || document.hasFocus()")
        yield
        self.line.switch(before)
        self.line.until("[...Services.wm.getEnumerator(null)].length === 1")

    def _opened(self, before: str) -> list[str]:
        self.line.until("[...Services.wm.getEnumerator(null)].length === 2")
        return [each for each in self.line.windows if each != before]


@contextmanager
def thunderbird(folder: Path, names: Mapping[str, int], *local: str) -> Iterator[Thunderbird]:
    """Run one whose world has these hosts at 443 alone, and these others on this machine."""
    profile = folder / "profile"
    profile.mkdir(parents=True)
    with _world(names) as proxy:
        (profile / "user.js").write_text(_preferences(proxy, local), "utf-8")
        with (folder / "thunderbird.log").open("wb") as log:
            process = subprocess.Popen(
                [*COMMAND, "--profile", str(profile)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        try:
            with Marionette(port_of(profile), _SCREEN) as line:
                yield Thunderbird(line)
        finally:
            process.terminate()
            try:
                process.wait(_ENDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _preferences(proxy: int, local: tuple[str, ...]) -> str:
    wanted: dict[str, object] = {
        "marionette.port": 0,
        "network.proxy.type": 1,
        **{f"network.proxy.{kind}": "127.0.0.1" for kind in ("http", "ssl")},
        **{f"network.proxy.{kind}_port": proxy for kind in ("http", "ssl")},
        "network.dns.localDomains": ",".join(local),
        "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
        "app.update.enabled": False,
        "app.donation.eoy.version.viewed": 999,
        "mail.shell.checkDefaultClient": False,
        "mail.spotlight.firstRunDone": True,
        "mail.spellcheck.inline": False,
    }
    written = {True: "true", False: "false"}
    return "".join(
        f'user_pref("{name}", {written[value] if isinstance(value, bool) else _quoted(value)});\n'
        for name, value in wanted.items()
    )


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, names: Mapping[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.names = names


class _Asked(socketserver.StreamRequestHandler):
    """One connection: CONNECT to a name of ours is joined to its port here, all else is refused."""

    server: _Proxy

    def handle(self) -> None:
        asked = self.rfile.readline(4096).decode("ascii", "replace").split()
        while self.rfile.readline(4096).strip():
            pass
        host, _, port = asked[1].partition(":") if len(asked) > 1 else ("", "", "")
        if asked[:1] != ["CONNECT"] or port != "443" or host not in self.server.names:
            self.wfile.write(b"HTTP/1.1 502 Nobody\r\nContent-Length: 0\r\n\r\n")
            return
        with closing(socket.create_connection(("127.0.0.1", self.server.names[host]))) as there:
            self.wfile.write(b"HTTP/1.1 200 Joined\r\n\r\n")
            back = threading.Thread(target=_carry, args=(there, self.connection), daemon=True)
            back.start()
            _carry(self.connection, there)
            back.join(_ENDS)


def _carry(from_: socket.socket, to: socket.socket) -> None:
    try:
        while block := from_.recv(1 << 16):
            to.sendall(block)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def _world(names: Mapping[str, int]) -> Iterator[int]:
    with _Proxy(names) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy.server_address[1]
        finally:
            proxy.shutdown()
            thread.join()
