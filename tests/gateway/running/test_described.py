"""What software may ask is what docs/openapi.yaml says: requests of any kind, answers as described."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.gateway.running.results import DOCUMENT, LABO, MAIL, Space, space

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("message/rfc822")
def _mail(_: object, value: object) -> bytes:
    """Send what was made up after a header that is well-formed."""
    return MAIL + str(value).encode("utf-8", "replace")


class _AnyHost(requests.adapters.HTTPAdapter):
    """The certificate is of mx.chu.example, which no resolver knows."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more, assert_hostname=False)


class Stranger:
    """Software that asks whatever the document allows, and what it does not."""

    def __init__(self, labo: Space, token: str) -> None:
        self.schema = schemathesis.openapi.from_dict(DOCUMENT)
        self.base = f"https://127.0.0.1:{labo.chu.ports['web']}"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.anchors = labo.chu.site.folder / "anchors.pem"
        self.statuses: set[int] = set()

    def asks(self, path: str, method: str, mode: schemathesis.GenerationMode) -> None:
        operation = self.schema[path][method]

        @settings(
            max_examples=10,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            answer = case.call(
                base_url=self.base,
                session=session,
                headers=self.headers,
                verify=str(self.anchors),
            )
            self.statuses.add(answer.status_code)
            case.validate_response(answer, checks=_CHECKS)

        with requests.Session() as session:
            session.mount("https://", _AnyHost())
            ask()


@pytest.mark.parametrize(
    ("path", "method", "seen"),
    [
        ("/v1/messages", "post", {201, 400, 422}),
        ("/v1/messages/{id}", "get", {404}),
        ("/v1/addresses", "get", {200, 400}),
        ("/v1/arrived", "get", {200, 400}),
        ("/v1/arrived/{id}/answer", "put", {404}),
    ],
)
async def test_answers_are_as_described(
    tmp_path: Path, path: str, method: str, seen: set[int]
) -> None:
    """Whatever is asked, the status, the media type and the shape are in the document."""
    async with space(tmp_path) as labo:
        scopes = ["submit", "addresses", "read"]
        made = await labo.chu.ask("token.add", address=LABO, scopes=scopes)
        stranger = Stranger(labo, made["token"])
        for mode in schemathesis.GenerationMode:
            await asyncio.to_thread(stranger.asks, path, method, mode)
        assert "web.failed" not in labo.chu.log.getvalue()
    assert seen <= stranger.statuses
