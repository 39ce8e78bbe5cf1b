"""The one error of this room."""


class DocumentError(ValueError):
    """A document, an archive or an identity cannot be relied on.

    The message says why and never repeats what is in it: it may reach a log or a journal.
    """
