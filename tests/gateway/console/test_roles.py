"""Who may do what."""

import pytest

from gateway.accounts.operators import Role
from gateway.console.roles import VERBS, covers, may
from gateway.operations.perform import VERBS as KNOWN

_LOOKS = ("list", "show", "explain", "diff", "history", "status", "tail", "verify", "search")


def test_the_table_names_verbs_that_are() -> None:
    """A verb that was renamed would silently become the administrator's alone."""
    assert set() == VERBS.keys() - KNOWN.keys()


@pytest.mark.parametrize("verb", sorted(KNOWN))
def test_an_administrator_may_everything(verb: str) -> None:
    """What nobody else may, too."""
    assert may(Role.ADMINISTRATOR, verb)


def test_what_is_in_no_table_is_the_administrators() -> None:
    """A new verb is nobody's by mistake."""
    assert [Role.ADMINISTRATOR] == [role for role in Role if may(role, "operator.invite")]
    assert [Role.ADMINISTRATOR] == [role for role in Role if may(role, "keys.rotate")]


def test_a_viewer_changes_nothing() -> None:
    """And decides nothing: what a viewer may is looking."""
    theirs = {verb for verb in KNOWN if may(Role.VIEWER, verb)}
    changes = {"approve", "reject", "deny", "allow", "bridge", "unbridge", "release", "refuse"}
    changes |= {"add", "suspend", "resume", "close", "invite", "retry", "cancel", "revoke"}
    assert set() == {verb for verb in theirs if verb.rpartition(".")[2] in changes}


def test_reviewers_and_list_managers_keep_out_of_each_others_way() -> None:
    """Each decides on their own matter, and sees what a viewer sees."""
    assert may(Role.REVIEWER, "quarantine.release")
    assert not may(Role.LISTS, "quarantine.release")
    assert may(Role.LISTS, "trust.approve")
    assert not may(Role.REVIEWER, "trust.approve")
    for verb in KNOWN:
        if may(Role.VIEWER, verb):
            assert may(Role.REVIEWER, verb)
            assert may(Role.LISTS, verb)


def test_pages_by_role() -> None:
    """A page for viewers is for all; another one for its role and the administrator."""
    assert list(Role) == [role for role in Role if covers(role, Role.VIEWER)]
    assert [Role.LISTS, Role.ADMINISTRATOR] == [role for role in Role if covers(role, Role.LISTS)]
