"""What can go wrong with everything at rest, named by whose fault it is.

The messages are for operators: they say what happened, never what was being kept.
"""

import errno


class VaultError(Exception):
    """Something at rest could not be written or read; nothing was promised."""


class StorageFull(VaultError):  # noqa: N818 - a state of the disk, said in one word
    """There is no room, or too little is left; the same again may work once there is."""


class Conflict(VaultError):  # noqa: N818 - what happened; it is nobody's error
    """A transaction met other rows than it expected, and was undone; its neighbours were not."""


class Gone(VaultError):  # noqa: N818 - what became of the body
    """Nobody holds this body by that name: it was erased, or never kept."""


class SealError(VaultError):
    """Sealed bytes do not open: another key, another place, or not the bytes that were written."""


class KeyRingError(VaultError):
    """The key ring cannot be used as it lies there; the message says what to do."""


def of_file(error: OSError) -> VaultError:
    """Put an operating system's error into our words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFull(f"the disk is full: {error.strerror}")
    return VaultError(f"the disk failed: {error.strerror}")
