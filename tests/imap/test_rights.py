"""What somebody may do in a mailbox that is shared with them, command by command, and as it changes."""

import pytest

from imap.folder import UidSet
from imap.principal import MARKING, Grant, Principal, Shared, settable
from imap.rules import Rules
from tests.imap.stage import COLLEAGUE, HOST, LETTERS, PLAIN, USER, Core, Scene
from tests.world.rest import Rest

IMAP = Rules.of("imap", HOST, max_size=1 << 20)
PLACE = f'"Partage/{COLLEAGUE}"'


async def tell(core: Core, line: str) -> list[str]:
    """Say a line; return what is said to it, its answer last."""
    tag = line.split(" ", 1)[0]
    core.receive(line.encode() + b"\r\n")
    said: list[str] = []
    while not said or not said[-1].startswith(f"{tag} "):
        response = await core.response()
        if not response:
            break
        said.append(response.decode().rstrip())
    return said


async def inside(scene: Scene, *lines: str) -> Core:
    core = Core(scene, IMAP)
    await core.response()
    for line in (f"a0 LOGIN {USER} right", *lines):
        assert " OK" in (await tell(core, line))[-1]
    return core


async def sharing(rest: Rest, rights: str) -> Scene:
    scene = await Scene.make(rest)
    scene.people.shared = (Shared(COLLEAGUE, 2, rights),)
    await scene.deliver(*LETTERS, mailbox=2)
    return scene


@pytest.mark.parametrize(
    ("rights", "command", "answer"),
    [
        ("r", f"SELECT {PLACE}", "NO [NONEXISTENT]"),
        ("l", f"SELECT {PLACE}", "NO [NOPERM]"),
        ("lr", f"SELECT {PLACE}", "OK [READ-ONLY]"),
        ("lrs", f"SELECT {PLACE}", "OK [READ-WRITE]"),
        ("l", f"STATUS {PLACE} (MESSAGES)", "NO [NOPERM]"),
        ("lr", f"STATUS {PLACE} (MESSAGES)", "OK"),
        ("lr", f'CREATE {PLACE[:-1]}/x"', "NO [NOPERM]"),
        ("lrk", f'CREATE {PLACE[:-1]}/x"', "OK"),
        ("lrk", f"DELETE {PLACE}", "NO [NOPERM]"),
        ("lrk", f'RENAME {PLACE} {PLACE[:-1]}/x"', "NO [NOPERM]"),
        ("lrx", f'RENAME {PLACE} {PLACE[:-1]}/x"', "NO [NOPERM]"),
        ("lrkx", f"RENAME {PLACE} mine", "NO [CANNOT]"),
        ("lr", f"GETACL {PLACE}", "NO [NOPERM]"),
        ("lrswipkxte", f"SETACL {PLACE} {USER} lrswipkxtea", "NO [NOPERM]"),
        ("lrswipkxte", f"DELETEACL {PLACE} {USER}", "NO [NOPERM]"),
        ("lra", f"GETACL {PLACE}", "OK"),
        ("lra", f"SETACL {PLACE} ines@chu-nord.example lr", "OK"),
        ("lr", f"COPY 1 {PLACE}", "NO [NOPERM]"),
        ("lri", f"COPY 1 {PLACE}", "OK"),
        ("lr", f"APPEND {PLACE} {{3}}", "NO [NOPERM]"),
        ("p", f"GETQUOTAROOT {PLACE}", "NO [NONEXISTENT]"),
        ("p", f'GETQUOTA "Partage/{COLLEAGUE}"', "NO [NONEXISTENT]"),
        ("p", f"SUBSCRIBE {PLACE}", "NO [NONEXISTENT]"),
    ],
)
async def test_a_right_is_asked_for(rest: Rest, rights: str, command: str, answer: str) -> None:
    """Each command needs its letter; where one may not look there is nothing."""
    scene = await sharing(rest, rights)
    await scene.deliver(PLAIN)
    core = await inside(scene, "a1 SELECT INBOX")

    assert (await tell(core, f"b {command}"))[-1].startswith(f"b {answer}")


@pytest.mark.parametrize(
    ("rights", "command", "answer"),
    [
        ("lrs", "STORE 1 +FLAGS (\\Seen)", "OK"),
        ("lrs", "STORE 1 +FLAGS (Fait)", "NO [NOPERM]"),
        ("lrw", "STORE 1 +FLAGS (Fait)", "OK"),
        ("lrw", "STORE 1 +FLAGS (\\Seen)", "NO [NOPERM]"),
        ("lrt", "STORE 1 +FLAGS (\\Deleted)", "OK"),
        ("lrw", "STORE 1 +FLAGS (\\Deleted)", "NO [NOPERM]"),
        ("lrsw", "STORE 1 FLAGS (Fait)", "NO [NOPERM]"),
        ("lrswt", "STORE 1 FLAGS (Fait)", "OK"),
        ("lrswt", "EXPUNGE", "NO [NOPERM]"),
        ("lre", "EXPUNGE", "OK"),
        ("lrt", "MOVE 1 INBOX", "NO [NOPERM]"),
        ("lrte", "MOVE 1 INBOX", "OK"),
        ("lr", "STORE 1 +FLAGS (\\Seen)", "NO [NOPERM]"),
        ("lr", "COPY 1 INBOX", "OK"),
    ],
)
async def test_a_right_is_asked_for_within(
    rest: Rest, rights: str, command: str, answer: str
) -> None:
    """In an open folder as well."""
    core = await inside(await sharing(rest, rights), f"a1 SELECT {PLACE}")

    assert (await tell(core, f"b {command}"))[-1].startswith(f"b {answer}")


async def test_reading_without_the_right_to_say_so_marks_nothing(rest: Rest) -> None:
    """Without ``s`` a message stays unread for the others; that it was read is noted all the same."""
    scene = await sharing(rest, "lrw")
    core = await inside(scene, f"a1 SELECT {PLACE}")

    assert not any("Seen" in line for line in await tell(core, "b FETCH 1 BODY[TEXT]"))
    assert [1] == scene.opened


async def test_flags_that_one_may_not_set_are_left_behind(rest: Rest) -> None:
    """What is copied or appended loses them; the message comes (RFC 4314 §4)."""
    scene = await sharing(rest, "lris")
    await scene.deliver(PLAIN)
    core = await inside(
        scene, "a1 SELECT INBOX", "a2 STORE 1 FLAGS (\\Seen \\Deleted Fait)", f"a3 COPY 1 {PLACE}"
    )
    core.receive(f"a4 APPEND {PLACE} (\\Deleted \\Seen Fait) {{3+}}\r\na\r\n\r\n".encode())
    while not (await core.response()).startswith(b"a4 OK"):
        pass

    await tell(core, f"a5 SELECT {PLACE}")
    assert "* 4 FETCH (FLAGS (\\Seen \\Recent))" == (await tell(core, "a6 FETCH 4 FLAGS"))[0]
    assert "* 5 FETCH (FLAGS (\\Seen \\Recent))" == (await tell(core, "a7 FETCH 5 FLAGS"))[0]


async def test_a_password_for_reading_shares_nothing(rest: Rest) -> None:
    """Whatever its person may do: who steals it lets nobody else in."""
    scene = await sharing(rest, "lra")
    scene.people.reading = True
    core = await inside(scene)

    for line in (f"a SETACL INBOX {COLLEAGUE} lr", f"b DELETEACL {PLACE} {USER}"):
        assert " NO [NOPERM]" in (await tell(core, line))[-1]
    assert [] == scene.people.given
    assert "c OK" in (await tell(core, f"c GETACL {PLACE}"))[-1]


@pytest.mark.parametrize("command", ["COPY", "MOVE"])
async def test_what_is_taken_along_was_read(rest: Rest, command: str) -> None:
    """Out of another's mailbox nothing is copied unseen, to be read elsewhere."""
    scene = await sharing(rest, "lrswite")
    core = await inside(scene, f"a1 SELECT {PLACE}", f"a2 {command} 1:2 INBOX")
    assert [1, 2] == scene.opened

    await tell(core, f"a3 {command} * {PLACE}")
    await tell(core, "a4 SELECT INBOX")
    await tell(core, f"a5 {command} 1 {PLACE}")
    assert [1, 2] == scene.opened


async def test_who_looks_for_words_in_another_s_texts_is_seen(rest: Rest) -> None:
    """In the text, however deep the key; not who looks at flags, subjects, or in their own."""
    scene = await sharing(rest, "lr")
    core = await inside(scene, f"a1 SELECT {PLACE}", "a2 SEARCH UNSEEN SUBJECT potassium")
    assert [] == scene.acts
    await tell(core, "a3 SEARCH OR SEEN NOT (BODY potassium)")
    await tell(core, "a4 UID SEARCH TEXT potassium")
    await tell(core, "a5 SELECT INBOX")
    await tell(core, "a6 SEARCH BODY potassium")
    assert [("searched", 2), ("searched", 2)] == [(a.what, a.folder.mailbox) for a in scene.acts]


async def test_who_may_not_write_in_its_name_recalls_nothing(rest: Rest) -> None:
    """``$Recall`` needs the right to post, in any spelling, and who asks is named."""
    scene = await sharing(rest, "lrswit")
    wanted: list[tuple[UidSet, int]] = []

    async def recalled(_folder: int, uids: UidSet, by: int) -> None:
        wanted.append((uids, by))

    scene.mailboxes.on_recall(recalled)
    core = await inside(scene, f"a1 SELECT {PLACE}")
    assert "a2 NO [NOPERM]" in (await tell(core, "a2 STORE 1 +FLAGS ($RECALL)"))[-1]
    await tell(core, "a3 STORE 1 FLAGS (Fait $Recall)")
    assert [] == wanted

    scene.people.share(Shared(COLLEAGUE, 2, "lrswitp"))
    await tell(core, "a4 STORE 1:2 +FLAGS ($recall)")
    await tell(core, "a5 STORE 1:2 -FLAGS ($recall)")
    assert [(UidSet(((1, 2),)), 1)] == wanted


async def test_what_is_subscribed_to_is_ones_own_affair(rest: Rest) -> None:
    """A colleague's programs do not show folders because mine do."""
    scene = await sharing(rest, "lr")
    core = await inside(scene, f"a1 SUBSCRIBE {PLACE}")

    assert f'* LSUB () "/" {PLACE}' in await tell(core, 'b LSUB "" *')
    assert [] == scene.mailboxes.subscriptions(2)


async def test_a_mailbox_one_only_sends_for_is_not_seen(rest: Rest) -> None:
    """An internal mail server has ``p`` and nothing to look at."""
    core = await inside(await sharing(rest, "p"))

    assert ['* NAMESPACE (("" "/")) NIL NIL', "b OK Told"] == await tell(core, "b NAMESPACE")
    assert not any("Partage" in line for line in await tell(core, 'c LIST "" *'))


async def test_who_loses_the_folder_that_is_open_is_let_go(rest: Rest) -> None:
    """At once, not at the next log-in; and hears no more of what others do there."""
    scene = await sharing(rest, "lrs")
    core = await inside(scene, f"a1 SELECT {PLACE}")
    core.receive(b"b IDLE\r\n")
    assert b"+ Idling\r\n" == await core.response()

    scene.people.share()

    assert (await core.response()).startswith(b"* BYE What you may do here has changed")
    assert core.closed


async def test_who_loses_a_folder_in_the_middle_of_a_command_gets_no_more_of_it(rest: Rest) -> None:
    """A long answer is broken off after a second."""
    scene = await sharing(rest, "lrs")
    core = await inside(scene, f"a1 SELECT {PLACE}")
    core.machine.waiting = True  # something is in hand that does not end
    scene.people.share()

    while not core.closed:
        await core.response()


async def test_who_is_elsewhere_stays_and_finds_it_gone(rest: Rest) -> None:
    """Only the place is lost."""
    scene = await sharing(rest, "lrs")
    core = await inside(scene, "a1 SELECT INBOX")
    scene.people.share()

    assert (await tell(core, f"b SELECT {PLACE}"))[-1].startswith("b NO [NONEXISTENT]")


async def test_a_right_that_is_given_is_there_at_once(rest: Rest) -> None:
    """Without another log-in, and a lesser one likewise."""
    scene = await sharing(rest, "lrw")
    core = await inside(scene, f"a1 SELECT {PLACE}", "a2 STORE 1 +FLAGS (Fait)")

    scene.people.share(Shared(COLLEAGUE, 2, "lrs"))
    assert "NOPERM" in (await tell(core, "b1 STORE 1 -FLAGS (Fait)"))[-1]
    assert "OK" in (await tell(core, "b2 STORE 1 +FLAGS (\\Seen)"))[-1]


async def test_a_closed_mailbox_ends_the_stay(rest: Rest) -> None:
    """Who opens nothing any more is let go, wherever it is."""
    scene = await sharing(rest, "lrs")
    core = await inside(scene)
    scene.people.known = False
    scene.people.share()

    assert (await core.response()).startswith(b"* BYE")


async def test_a_right_lost_while_a_message_comes_keeps_it_out(rest: Rest) -> None:
    """What counts is what one may do when it would be kept."""
    scene = await sharing(rest, "lri")
    core = await inside(scene)
    core.receive(f"b APPEND {PLACE} {{3}}\r\n".encode())
    assert (await core.response()).startswith(b"+")
    scene.people.share(Shared(COLLEAGUE, 2, "lr"))
    core.receive(b"a\r\n\r\n")

    assert (await core.response()).startswith(b"b NO [NOPERM]")


async def test_keywords_are_seen_by_all_at_once(rest: Rest) -> None:
    """Who takes a message on says so to everybody who looks at it, and to the journal."""
    scene = await sharing(rest, "lrw")
    one, other = [await inside(scene, f"a1 SELECT {PLACE}") for _ in range(2)]
    other.receive(b"b IDLE\r\n")
    assert b"+ Idling\r\n" == await other.response()

    await tell(one, "b STORE 2 +FLAGS (Pris_en_charge)")

    assert b"* 2 FETCH (FLAGS (Pris_en_charge))\r\n" == await other.response()
    (act,) = scene.acts
    assert ("marked", "+Pris_en_charge", [2]) == (act.what, act.detail, list(act.uids))


async def test_what_was_done_is_told(rest: Rest) -> None:
    """Everything that changes a folder, with the messages it was done to."""
    scene = await sharing(rest, "lrswipkxte")
    sub = f'{PLACE[:-1]}/x"'
    await inside(
        scene,
        f"a1 SELECT {PLACE}",
        f"a2 CREATE {sub}",
        f"a3 COPY 1 {sub}",
        "a4 MOVE 2 INBOX",
        "a5 STORE 1 +FLAGS.SILENT (\\Deleted)",
        "a6 EXPUNGE",
        f'a7 RENAME {sub} {PLACE[:-1]}/y"',
        f'a8 DELETE {PLACE[:-1]}/y"',
        f"a9 APPEND {PLACE} {{2+}}\r\n\r\n",
    )

    assert [
        ("made", 2, ""),
        ("copied", 2, f"to Partage/{COLLEAGUE}/x"),
        ("moved", 2, "to INBOX"),
        ("filed", 1, ""),
        ("marked", 2, "+\\Deleted"),
        ("erased", 2, ""),
        ("renamed", 2, "to y"),
        ("deleted", 2, ""),
        ("filed", 2, ""),
    ] == [(act.what, act.folder.mailbox, act.detail) for act in scene.acts]


def test_the_letters_of_flags() -> None:
    """``s`` for read, ``t`` for deleted, ``w`` for all others."""
    flags = ("\\Seen", "\\Deleted", "\\Flagged", "Fait")

    assert flags == settable("".join(MARKING), flags)
    assert ("\\Flagged", "Fait") == settable("lrw", flags)


def test_the_rights_of_a_principal() -> None:
    """All on its own mailbox, those given on another, none elsewhere."""
    who = Principal(USER, 1, (Shared(COLLEAGUE, 2, "lr"),))

    assert ("lrswipkxtea", "lr", "") == (who.rights(1), who.rights(2), who.rights(3))
    assert Grant("a", "lr") == Grant("a", "lr")
