"""What a client said that is no command."""

from imap.errors import ImapError


class GrammarError(ImapError):
    """The octets are not what the grammar allows; the text is for the client and repeats nothing."""
