"""What drives a Mozilla program from outside: its Marionette protocol, as little of it as is needed.

A message is its length, a colon and JSON: ``[0, number, command, parameters]`` there, ``[1, number,
error, result]`` back. Everything happens in the program's own windows ("chrome"), with real
mouse events and real keys at the places where a person would see the elements.
"""

import json
import socket
import time
from pathlib import Path
from typing import Any, Self

PATIENCE = 30.0
_POLL = 0.1


class MarionetteError(Exception):
    """The program did not do what it was asked; the message has its own words."""


class Marionette:
    """One session; a context manager."""

    def __init__(self, port: int, script: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._held, self._number = b"", 0
        self._script = script  # what every expression may use
        self._read()  # it introduces itself

    def __enter__(self) -> Self:
        self._call("WebDriver:NewSession", strictFileInteractability=False)
        self._call("Marionette:SetContext", value="chrome")
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def ask(self, expression: str, *arguments: Any) -> Any:
        """Return the value of an expression in the current window."""
        found = self._call(
            "WebDriver:ExecuteScript",
            script=f"{self._script}; return {expression};",
            args=list(arguments),
            newSandbox=False,
            sandbox="system",
        )
        return found["value"]

    def until(self, expression: str, *arguments: Any, patience: float = PATIENCE) -> Any:
        """Ask until the answer is something; raise with the last failure if it never is."""
        deadline, last = time.monotonic() + patience, ""
        while time.monotonic() < deadline:
            try:
                if found := self.ask(expression, *arguments):
                    return found
            except MarionetteError as error:
                last = str(error)
            time.sleep(_POLL)
        raise MarionetteError(f"never came: {expression} {last}")

    def click(self, x: int, y: int) -> None:
        """Press the left button at a place of the window."""
        self._perform(
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}},
            [
                {"type": "pointerMove", "x": x, "y": y},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ],
        )

    def type(self, text: str) -> None:
        """Press the keys of a text, wherever the focus is."""
        pressed = [{"type": kind, "value": each} for each in text for kind in ("keyDown", "keyUp")]
        self._perform({"type": "key", "id": "keys"}, pressed)

    @property
    def windows(self) -> list[str]:
        """The open windows."""
        return list(self._call("WebDriver:GetWindowHandles"))

    @property
    def window(self) -> str:
        """The one that is asked."""
        return str(self._call("WebDriver:GetWindowHandle")["value"])

    def switch(self, window: str) -> None:
        """Ask another window from now on."""
        self._call("WebDriver:SwitchToWindow", handle=window)

    def quit(self) -> None:
        """End the program, in good order."""
        self._call("Marionette:Quit", flags=["eForceQuit"])

    def _perform(self, source: dict[str, Any], actions: list[dict[str, Any]]) -> None:
        self._call("WebDriver:PerformActions", actions=[source | {"actions": actions}])

    def _call(self, command: str, **parameters: Any) -> Any:
        self._number += 1
        octets = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(octets), octets))
        _, _, error, result = self._read()
        if error:
            raise MarionetteError(f"{command}: {error['message']}")
        return result

    def _read(self) -> Any:
        length = int(self._until(b":"))
        while len(self._held) < length:
            self._held += self._received()
        octets, self._held = self._held[:length], self._held[length:]
        return json.loads(octets)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            self._held += self._received()
        before, _, self._held = self._held.partition(mark)
        return before

    def _received(self) -> bytes:
        block = self._socket.recv(1 << 16)
        if not block:
            raise MarionetteError("the program is gone")
        return block


def port_of(profile: Path) -> int:
    """Return where a program that was just started with this profile can be driven."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            return int((profile / "MarionetteActivePort").read_text())
        except (FileNotFoundError, ValueError):
            time.sleep(_POLL)
    raise MarionetteError("the program did not start")
