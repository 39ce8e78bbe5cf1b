"""Mail in the browser."""

from typing import Annotated

from annotated_types import Ge, Le

from gateway.settings.section import MiB, Octets, Section


class ReadingSettings(Section):
    """The reading room."""

    enabled: bool = True
    page: Annotated[int, Ge(5), Le(50)] = 25  # messages of a list at once
    upload: Octets = 25 * MiB  # of one message that is written here, its attachments together
    max_recipients: Annotated[int, Ge(1), Le(1000)] = 100
