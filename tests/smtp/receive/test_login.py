"""SASL, as far as it is a conversation."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp import reply
from smtp.receive import login
from smtp.receive.login import CertificateClaim, Claim, LoginError, PasswordClaim, TokenClaim
from smtp.reply import Reply


def converse(mechanism: str, initial: str, *lines: str) -> Claim | Reply | list[str]:
    """The claim, the refusal, or the challenges if it is not yet over."""
    challenges = []
    exchange = login.exchange(mechanism, initial)
    try:
        challenges.append(str(next(exchange)))
        for line in lines:
            challenges.append(str(exchange.send(line)))  # noqa: PERF401 - it ends by an exception
    except StopIteration as end:
        claim: Claim = end.value
        return claim
    except LoginError as error:
        return error.reply
    return challenges


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


DR = PasswordClaim("dr@x.example", "p w:é")
TOKEN = TokenClaim("dr@x.example", "ey.J.x")
PLAIN = b64("\0dr@x.example\0p w:é")


@pytest.mark.parametrize(
    ("mechanism", "initial", "lines", "outcome"),
    [
        ("XOAUTH2", b64("user=dr@x.example\1auth=Bearer ey.J.x\1\1"), [], TOKEN),
        ("OAUTHBEARER", b64("n,a=dr@x.example,\1port=993\1auth=bearer ey.J.x\1\1"), [], TOKEN),
        ("OAUTHBEARER", b64("n,,\1auth=Bearer ey.J.x\1\1"), [], TokenClaim("", "ey.J.x")),
        ("OAUTHBEARER", b64("n,a=a=2Cb=3D@x,\1auth=Bearer t\1\1"), [], TokenClaim("a,b=@x", "t")),
        ("OAUTHBEARER", b64("p=x,,\1auth=Bearer t\1\1"), [], reply.SYNTAX),
        ("XOAUTH2", b64("user=dr@x.example\1auth=Basic t\1\1"), [], reply.SYNTAX),
        ("XOAUTH2", "", [b64("user=dr@x.example\1auth=Bearer \1\1")], reply.SYNTAX),
        ("PLAIN", PLAIN, [], DR),
        ("PLAIN", "", [], ["334 "]),
        ("PLAIN", "", [PLAIN], DR),
        ("PLAIN", b64("Dr@x.example\0dr@x.example\0p w:é"), [], DR),
        ("PLAIN", b64("b@x.example\0dr@x.example\0p"), [], reply.BAD_CREDENTIALS),
        ("PLAIN", "=", [], reply.SYNTAX),
        ("PLAIN", "", [""], reply.SYNTAX),
        ("PLAIN", b64("a\0b\0c\0d"), [], reply.SYNTAX),
        ("PLAIN", "", ["*"], reply.LOGIN_CANCELLED),
        ("PLAIN", "?", [], reply.BAD_BASE64),
        ("PLAIN", "AA=A", [], reply.BAD_BASE64),
        ("PLAIN", "é", [], reply.BAD_BASE64),
        ("PLAIN", "/w==", [], reply.BAD_BASE64),
        ("LOGIN", "", [], ["334 VXNlcm5hbWU6"]),
        ("LOGIN", "", [b64("dr@x.example")], ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]),
        ("LOGIN", "", [b64("dr@x.example"), b64("p w:é")], DR),
        ("LOGIN", b64("dr@x.example"), [b64("p w:é")], DR),
        ("LOGIN", "", ["*"], reply.LOGIN_CANCELLED),
        ("LOGIN", "", [b64("dr@x.example"), "*"], reply.LOGIN_CANCELLED),
        ("EXTERNAL", "=", [], CertificateClaim("")),
        ("EXTERNAL", "", [""], CertificateClaim("")),
        ("EXTERNAL", b64("dr@x.example"), [], CertificateClaim("dr@x.example")),
        ("EXTERNAL", "", ["*"], reply.LOGIN_CANCELLED),
    ],
)
def test_exchanges(
    mechanism: str, initial: str, lines: list[str], outcome: Claim | Reply | list[str]
) -> None:
    """Each mechanism, with and without initial response, cancelled and garbled."""
    assert outcome == converse(mechanism, initial, *lines)


def test_a_password_does_not_show() -> None:
    """Not in a log, not in a traceback."""
    assert "secret" not in repr(PasswordClaim("dr@x.example", "secret"))


@given(
    st.sampled_from(["PLAIN", "LOGIN", "EXTERNAL", "OAUTHBEARER", "XOAUTH2"]),
    st.text(max_size=20),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_any_lines_end_in_a_claim_or_a_refusal(
    mechanism: str, initial: str, lines: list[str]
) -> None:
    """Nothing that is typed can break the exchange."""
    assert converse(mechanism, initial, *lines) is not None
