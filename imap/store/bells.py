"""Who is told that something happened in a folder: the sessions that look at it.

A bell is rung after the commit, by whoever committed; it says nothing but "look again", so that
one that rings twice, or for nothing, does no harm.
"""

from collections.abc import Callable, Iterable

Bell = Callable[[], None]


class Bells:
    """The bells of all folders."""

    def __init__(self) -> None:
        self._hung: dict[int, list[Bell]] = {}

    def listen(self, folder: int, bell: Bell) -> Callable[[], None]:
        """Hang a bell on a folder; return what takes it down again."""
        self._hung.setdefault(folder, []).append(bell)

        def stop() -> None:
            bells = self._hung.get(folder, [])
            if bell in bells:
                bells.remove(bell)
            if not bells:
                self._hung.pop(folder, None)

        return stop

    def ring(self, folders: Iterable[int]) -> None:
        """Ring the bells of folders."""
        for folder in folders:
            for bell in tuple(self._hung.get(folder, ())):
                bell()
