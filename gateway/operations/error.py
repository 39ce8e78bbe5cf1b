"""The one error an operator meets: what happened, and what to do about it."""


class OperationError(Exception):
    """It could not be done. ``str()`` says what happened; ``hint`` says what to do next."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint
