"""aiosmtpd as it comes, over TLS: the peer that Sceau's accepting alone is compared with.

A process of its own (``python -m tests.bench.stock CERTIFICATE KEY``). It takes every message,
keeps none, and prints its port. It runs on uvloop as Sceau does, and without its debug logging.
"""

import asyncio
import logging
import ssl
import sys

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session


class Accept:
    """Says 250 to everything."""

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return "250 2.0.0 OK"


async def serve(context: ssl.SSLContext) -> None:
    """Listen until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Accept(), data_size_limit=35 << 20, hostname="stock.example", loop=loop),
        "127.0.0.1",
        0,
        ssl=context,
        backlog=512,
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve with the certificate and key that the arguments name."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    uvloop.run(serve(context))


if __name__ == "__main__":
    main()
