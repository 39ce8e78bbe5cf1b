"""How much a mailbox of ours may hold."""

from gateway.settings.section import MiB, Octets, Section


class MailboxesSettings(Section):
    """The room that each mailbox has."""

    quota: Octets | None = None  # None: as much as the disk has
    append_limit: Octets = 150 * MiB
