"""No image of our memory on the disk: what is open here would lie there in clear.

A core file holds messages, file keys and the key ring. The limit stops the kernel from writing one;
a program that the kernel pipes cores into (systemd-coredump, apport) is not held by the limit, so we
say as well that we may not be dumped. That also keeps other processes of our user from reading our
memory; a profiler that attaches then needs root. core(5), PR_SET_DUMPABLE(2const).
"""

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4


def forbid() -> None:
    """Let nothing dump this process from now on; raise ``OSError`` if the kernel will not have it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
