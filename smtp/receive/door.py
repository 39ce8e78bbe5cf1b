"""One SMTP listener: its rules, who takes the mail, who knows its people."""

import ssl

from smtp.hall import Hall
from smtp.receive.rules import Rules
from smtp.receive.server import Authenticator, Connection, Intake, Limits, OnEvent
from smtp.reply import Reply


class Door(Hall[Connection]):
    """Open it, stop it; in between it owns its connections and what runs for them."""

    def __init__(  # noqa: PLR0917 - what a listener is made of
        self,
        rules: Rules,
        context: ssl.SSLContext,
        intake: Intake,
        authenticator: Authenticator | None,
        limits: Limits,
        on_event: OnEvent,
    ) -> None:
        if rules.certificate and context.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError(f"listener {rules.listener} must ask for client certificates")
        super().__init__(
            rules.listener,
            context,
            limits,
            on_event,
            lambda loop: Connection(self, loop),
            Reply.line,
            implicit_tls=rules.implicit_tls,
        )
        self.rules = rules
        self.intake = intake
        self.authenticator = authenticator
        self.limits = limits
