-- Everything the gateway keeps, in one place. Read it with docs/sealed-format.md.
--
-- What may be read in a stolen copy: domains, times, sizes, states, opaque ids. Everything else is
-- `sealed` (AEAD, bound to its table, row and column) or `keyed` (a keyed hash, for look-up only).
-- Times are seconds since the epoch. Ids of messages are 26 characters of base 32, sorted by time.

CREATE TABLE body (                     -- the sealed bytes of one message
    id       INTEGER PRIMARY KEY,       -- which run of the gateway, which body of that run
    size     INTEGER NOT NULL,          -- in clear, octets
    sealed   BLOB,                      -- small bodies lie here ...
    blob     TEXT,                      -- ... large ones in the blob of this name
    CHECK ((sealed IS NULL) <> (blob IS NULL))
) STRICT;

CREATE TABLE wrap (                     -- a holder's own wrap of a body's file key
    holder   TEXT PRIMARY KEY,          -- 'delivery/<id>', 'entry/<id>', 'hold/<id>' ...
    body     INTEGER NOT NULL REFERENCES body (id),
    ring     INTEGER NOT NULL,          -- which key of the ring wrapped it
    wrapped  BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX wrap_body ON wrap (body);

CREATE TABLE doomed (                   -- blobs whose last key is gone, for the sweeper
    blob     TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER wrap_last AFTER DELETE ON wrap   -- nobody can open it now: let nothing of it stay
WHEN NOT EXISTS (SELECT 1 FROM wrap WHERE body = OLD.body)
BEGIN
    INSERT INTO doomed SELECT blob FROM body WHERE id = OLD.body AND blob IS NOT NULL;
    DELETE FROM body WHERE id = OLD.body;
END;

CREATE TABLE message (                  -- what we took responsibility for
    id            TEXT PRIMARY KEY,
    reference     TEXT NOT NULL,        -- read out on the telephone
    arrived       REAL NOT NULL,
    size          INTEGER NOT NULL,
    door          TEXT NOT NULL,        -- the listener it came by; 'report' for our own
    sender_domain TEXT NOT NULL,        -- '' for the null reverse-path
    sender        BLOB,                 -- keyed
    message_id    BLOB,                 -- keyed: the header's Message-ID
    envid         BLOB,                 -- keyed: what a peer's report will quote, if not our id
    facts         BLOB NOT NULL         -- sealed: envelope and the headers we need
) STRICT, WITHOUT ROWID;
CREATE INDEX message_reference ON message (reference);
CREATE INDEX message_domain ON message (sender_domain);     -- and so by id, that is by time
CREATE INDEX message_message_id ON message (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX message_envid ON message (envid) WHERE envid IS NOT NULL;

CREATE TABLE delivery (                 -- one recipient's copy
    id        TEXT PRIMARY KEY,         -- '<message>.<n>'
    message   TEXT NOT NULL REFERENCES message (id),
    domain    TEXT NOT NULL,
    recipient BLOB NOT NULL,            -- keyed
    facts     BLOB NOT NULL,            -- sealed: the recipient as given, its DSN parameters
    state     TEXT NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    lost      INTEGER NOT NULL DEFAULT 0, -- attempts that a crash cut off
    due       REAL,                     -- when the courier may claim it; while sending, when its
                                        -- claim ends; null: nothing to do
    expires   REAL NOT NULL,
    warned    INTEGER NOT NULL DEFAULT 0, -- the sender was told of the delay
    changed   REAL NOT NULL,
    said      BLOB                      -- sealed: the last reply
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (due, domain) WHERE due IS NOT NULL;
CREATE INDEX delivery_message ON delivery (message);
CREATE INDEX delivery_state ON delivery (state);
CREATE INDEX delivery_domain ON delivery (domain);

CREATE TABLE inspection (               -- a message whose content is looked at before it goes on
    message  TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    due      REAL,                      -- when it may be taken up; while it is, when that claim ends;
                                        -- null: it was judged
    lost     INTEGER NOT NULL DEFAULT 0, -- looks that a crash cut off
    since    REAL,                      -- since when a scanner gives no answer
    facts    BLOB NOT NULL              -- sealed: what was found, at the door and in it
) STRICT, WITHOUT ROWID;
CREATE INDEX inspection_due ON inspection (due) WHERE due IS NOT NULL;

CREATE TABLE link (                     -- what lies here for others to fetch: its holder is 'link/<id>'
    id       TEXT PRIMARY KEY,          -- random: who knows it cannot ask for anything
    token    BLOB NOT NULL UNIQUE,      -- keyed: under which it is asked for
    message  TEXT NOT NULL,
    domain   TEXT NOT NULL,             -- whose next hop may have it
    sender   BLOB NOT NULL,             -- keyed
    reader   INTEGER NOT NULL,          -- 1: a person fetches it by a browser; 0: a gateway does
    size     INTEGER NOT NULL,          -- octets of the whole
    made     REAL NOT NULL,
    expires  REAL NOT NULL,
    looks    INTEGER NOT NULL DEFAULT 0, -- how often some of it was asked for
    taken    REAL,                      -- when it was first fetched to its end
    facts    BLOB NOT NULL,             -- sealed: its hash, and the parts that stayed here
    UNIQUE (message, domain)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_sender ON link (sender);
CREATE INDEX link_expires ON link (expires);

CREATE TABLE hop (                      -- what each domain's next hop last said of itself
    domain   TEXT PRIMARY KEY,
    size     INTEGER NOT NULL,          -- the largest message that it takes; 0: it told no limit
    large    INTEGER NOT NULL,          -- the largest that it fetches; 0: it is no Sceau
    at       REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fetch (                    -- a message that came as a stub, while the whole is fetched
    message  TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    due      REAL NOT NULL,             -- when it may be taken up
    tries    INTEGER NOT NULL DEFAULT 0, -- in a row that brought nothing
    wrong    INTEGER NOT NULL DEFAULT 0, -- times that it came whole and was not what it should be
    size     INTEGER NOT NULL,          -- octets of the whole
    facts    BLOB NOT NULL              -- sealed: under which name, at which port, its hash
) STRICT, WITHOUT ROWID;
CREATE INDEX fetch_due ON fetch (due);

CREATE TABLE piece (                    -- of a whole that is fetched: its holder is 'piece/<message>/<start>'
    message  TEXT NOT NULL REFERENCES fetch (message) ON DELETE CASCADE,
    start    INTEGER NOT NULL,          -- where in the whole it begins
    size     INTEGER NOT NULL,
    PRIMARY KEY (message, start)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER piece_removed AFTER DELETE ON piece  -- its key goes with it, always
BEGIN
    DELETE FROM wrap WHERE holder = 'piece/' || OLD.message || '/' || OLD.start;
END;

CREATE TABLE seen (                     -- transfers we took, so that a repeated one is not taken twice
    transfer  BLOB PRIMARY KEY,         -- keyed: peer, transfer id, recipient
    delivery  TEXT NOT NULL,            -- what it became here
    at        REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at);

CREATE TABLE unheard (                  -- delivered at the door; it is not known yet that its sender knows
    delivery  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE once (                     -- mails that are known again by their Message-ID
    mark      BLOB PRIMARY KEY,         -- keyed: sender, Message-ID, recipient
    digest    BLOB NOT NULL,            -- keyed: the mail, but for what says to whom and when it goes
    delivery  TEXT NOT NULL,            -- what it became here
    at        REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX once_at ON once (at);

CREATE TABLE recall (                   -- what its sender wants back, and could not be asked of the peer
    delivery TEXT PRIMARY KEY,
    actor    TEXT NOT NULL,
    due      REAL NOT NULL,
    until    REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX recall_due ON recall (due);

CREATE TABLE deadline (                 -- when software was promised the last answers about a message
    message TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    due     REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deadline_due ON deadline (due);

CREATE TABLE application (              -- what the recipient's software made of a copy
    delivery TEXT PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
    message  TEXT NOT NULL,
    asked    INTEGER NOT NULL,          -- 1: its sender asked to be told (RFC 8098)
    at       REAL,                      -- when it was said; null: it is only asked for
    failure  INTEGER,                   -- by its number, 900 to 906; 0: it was filed
    told     INTEGER NOT NULL DEFAULT 1 -- 0: the folder that it came from does not say so yet
) STRICT, WITHOUT ROWID;
CREATE INDEX application_message ON application (message);
CREATE INDEX application_untold ON application (message) WHERE told = 0;

CREATE TABLE critical (                 -- results that may not wait, until they have arrived
    id       TEXT PRIMARY KEY,          -- the message's; a name of our own if it never became one
    due      REAL NOT NULL,             -- until when it must have arrived
    open     INTEGER NOT NULL DEFAULT 1, -- 1: something of it may yet go wrong unsaid
    version  INTEGER NOT NULL DEFAULT 1,
    escalated REAL,                     -- when somebody was told that it did not
    acknowledged REAL,                  -- when an operator noted that it is taken care of
    sender   BLOB NOT NULL,             -- keyed
    owed     INTEGER NOT NULL DEFAULT 0, -- 1: the person named is still to be written to
    facts    BLOB NOT NULL              -- sealed: whose, who was told of whom, who noted it
) STRICT, WITHOUT ROWID;
CREATE INDEX critical_open ON critical (due) WHERE open = 1;
CREATE INDEX critical_owed ON critical (sender, escalated) WHERE owed = 1;
CREATE INDEX critical_waiting ON critical (escalated)
    WHERE escalated IS NOT NULL AND acknowledged IS NULL;
CREATE INDEX critical_due ON critical (due);

CREATE TABLE outbox (                   -- receipts on their way to software
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL,            -- random, and nobody looks for it: no index
    mailbox   TEXT NOT NULL,            -- the mailbox's opaque key
    message   TEXT NOT NULL,
    type      TEXT NOT NULL,            -- 'delivered', 'failed' ...
    at        REAL NOT NULL,
    payload   BLOB NOT NULL,            -- sealed: the CloudEvents JSON
    sent      REAL
) STRICT;
CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent IS NULL;
CREATE INDEX outbox_message ON outbox (message);

CREATE TABLE mailbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL UNIQUE,      -- opaque: MQTT topics, metrics
    domain   TEXT NOT NULL,
    address  BLOB NOT NULL UNIQUE,      -- keyed
    facts    BLOB NOT NULL,             -- sealed: address, holder, name
    kind     TEXT NOT NULL,             -- PER, ORG, APP, CAB
    status   TEXT NOT NULL,             -- active, suspended, closed
    created  REAL NOT NULL
) STRICT;

CREATE TABLE credential (               -- what a mailbox logs in with
    id       TEXT PRIMARY KEY,
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id),
    kind     TEXT NOT NULL,             -- password, certificate, token
    secret   TEXT NOT NULL,             -- argon2id; the certificate's fingerprint; the token's hash
    label    BLOB,                      -- sealed: the owner's words for it
    created  REAL NOT NULL,
    expires  REAL,
    revoked  REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_mailbox ON credential (mailbox);
CREATE INDEX credential_secret ON credential (secret) WHERE kind = 'certificate';
CREATE INDEX credential_token ON credential (secret) WHERE kind = 'token';

CREATE TABLE factor (                   -- how a person proves who they are, by a browser
    id       TEXT PRIMARY KEY,
    owner    TEXT NOT NULL,             -- the key of a mailbox or of an operator
    kind     TEXT NOT NULL,             -- passphrase, totp, passkey
    handle   BLOB UNIQUE,               -- keyed: what a passkey calls itself
    facts    BLOB NOT NULL              -- sealed: the secret, its label, the last one shown
) STRICT, WITHOUT ROWID;
CREATE INDEX factor_owner ON factor (owner);

CREATE TABLE invitation (               -- by which a person makes their first factors, once
    id       BLOB PRIMARY KEY,          -- keyed: the code
    owner    TEXT NOT NULL,             -- as a factor's
    facts    BLOB NOT NULL              -- sealed: until when, whether it ends what was there
) STRICT, WITHOUT ROWID;

CREATE TABLE operator (                 -- who may come to the console
    key      TEXT PRIMARY KEY,          -- opaque
    name     TEXT NOT NULL UNIQUE,      -- in clear, as in the journal
    facts    BLOB NOT NULL              -- sealed: the role, the status, certificates
) STRICT, WITHOUT ROWID;

CREATE TABLE share (                    -- who else may use a mailbox, and how
    id       INTEGER PRIMARY KEY,
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id),
    person   INTEGER NOT NULL REFERENCES mailbox (id),  -- a person is known by their own mailbox
    rights   BLOB NOT NULL,             -- sealed: RFC 4314 letters, bound to both mailboxes
    since    REAL NOT NULL,
    UNIQUE (mailbox, person)
) STRICT;
CREATE INDEX share_person ON share (person);

CREATE TABLE absence (                  -- who is away, and what is answered meanwhile
    mailbox  INTEGER PRIMARY KEY REFERENCES mailbox (id),
    facts    BLOB NOT NULL              -- sealed: the words, since when, until when
) STRICT;

CREATE TABLE absence_told (             -- whom that was answered, so that it is once a week
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id),
    whom     BLOB NOT NULL,             -- keyed: the correspondent's address
    at       REAL NOT NULL,
    PRIMARY KEY (mailbox, whom)
) STRICT, WITHOUT ROWID;

CREATE TABLE thread (                   -- what a professional and a citizen write to each other
    pair     BLOB PRIMARY KEY,          -- keyed: both addresses
    citizen  BLOB NOT NULL,             -- keyed: the citizen's number
    version  INTEGER NOT NULL,
    at       REAL NOT NULL,             -- when somebody last wrote
    facts    BLOB NOT NULL              -- sealed, bound to pair and version: who, which threads
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_citizen ON thread (citizen);
CREATE INDEX thread_at ON thread (at);

CREATE TABLE opposition (               -- citizens who object to being written to; never removed
    id       INTEGER PRIMARY KEY,       -- 1, 2, 3 ...: a gap is told of
    citizen  BLOB NOT NULL,             -- keyed: the citizen's number
    facts    BLOB NOT NULL              -- sealed: who, why, noted by whom, when, and when withdrawn
) STRICT;
CREATE INDEX opposition_citizen ON opposition (citizen);

CREATE TABLE proposal (                 -- what one operator asked, and another must ask too
    id       BLOB PRIMARY KEY,          -- keyed: the verb and what it is about
    facts    BLOB NOT NULL,             -- sealed: by whom, when
    asked    REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE folder (
    id           INTEGER PRIMARY KEY,   -- random: what is bound to it fits no other
    mailbox      INTEGER NOT NULL REFERENCES mailbox (id),
    key          BLOB NOT NULL,         -- keyed: the folder's name
    name         BLOB NOT NULL,         -- sealed
    special      TEXT,                  -- RFC 6154: \Sent, \Trash ...
    uid_validity INTEGER NOT NULL,
    uid_next     INTEGER NOT NULL DEFAULT 1,
    modseq       INTEGER NOT NULL DEFAULT 1,
    forgotten    INTEGER NOT NULL DEFAULT 0, -- up to this modseq, 'vanished' is not complete
    told         INTEGER NOT NULL DEFAULT 1, -- from this UID on, no client was told of them: \Recent
    gone         INTEGER NOT NULL DEFAULT 0, -- deleted, and being emptied
    total        INTEGER NOT NULL DEFAULT 0, -- the counters are kept by triggers
    unseen       INTEGER NOT NULL DEFAULT 0,
    deleted      INTEGER NOT NULL DEFAULT 0,
    size         INTEGER NOT NULL DEFAULT 0,
    UNIQUE (mailbox, key)
) STRICT;
CREATE INDEX folder_gone ON folder (id) WHERE gone = 1;

CREATE TABLE validity (                 -- the last UIDVALIDITY that a mailbox gave to a folder
    mailbox  INTEGER PRIMARY KEY REFERENCES mailbox (id),
    last     INTEGER NOT NULL
) STRICT;

CREATE TABLE subscription (             -- names a mail client shows; a folder need not be there
    id       INTEGER PRIMARY KEY,
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id),
    key      BLOB NOT NULL,             -- keyed: the folder's name
    name     BLOB NOT NULL,             -- sealed
    UNIQUE (mailbox, key)
) STRICT;

CREATE TABLE keyword (                  -- the words that stand behind the upper bits of flags
    id       INTEGER PRIMARY KEY,
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id),
    bit      INTEGER NOT NULL,
    name     BLOB NOT NULL,             -- sealed
    UNIQUE (mailbox, bit)
) STRICT;

CREATE TABLE card (                     -- what is told of an entry without opening its body
    id        INTEGER PRIMARY KEY,      -- the entry's: which run of the gateway, which of that run
    folder    INTEGER NOT NULL,
    facts     BLOB NOT NULL,            -- sealed: what a list of messages shows
    structure BLOB NOT NULL             -- sealed: envelope, parts and where they lie
) STRICT;

CREATE TABLE entry (                    -- a message in a folder
    folder   INTEGER NOT NULL REFERENCES folder (id),
    uid      INTEGER NOT NULL,
    id       INTEGER NOT NULL REFERENCES card (id), -- its holder is 'entry/<id>'
    modseq   INTEGER NOT NULL,
    flags    INTEGER NOT NULL DEFAULT 0, -- bits: \Seen 1, \Answered 2, \Flagged 4, \Deleted 8,
                                        -- \Draft 16, keywords from 32
    arrived  REAL NOT NULL,
    size     INTEGER NOT NULL,
    PRIMARY KEY (folder, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_modseq ON entry (folder, modseq);
CREATE INDEX entry_unseen ON entry (folder, uid) WHERE flags & 1 = 0;
CREATE INDEX entry_deleted ON entry (folder, uid) WHERE flags & 8 <> 0;
CREATE INDEX entry_id ON entry (id);

CREATE TRIGGER entry_added AFTER INSERT ON entry
BEGIN
    UPDATE folder SET total = total + 1, size = size + NEW.size,
        unseen = unseen + (NEW.flags & 1 = 0), deleted = deleted + (NEW.flags & 8 <> 0)
    WHERE id = NEW.folder;
END;

CREATE TRIGGER entry_flagged AFTER UPDATE OF flags ON entry
WHEN OLD.flags & 9 <> NEW.flags & 9
BEGIN
    UPDATE folder SET unseen = unseen + (NEW.flags & 1 = 0) - (OLD.flags & 1 = 0),
        deleted = deleted + (NEW.flags & 8 <> 0) - (OLD.flags & 8 <> 0)
    WHERE id = NEW.folder;
END;

CREATE TRIGGER entry_removed AFTER DELETE ON entry  -- its key to the body goes with it, always
BEGIN
    UPDATE folder SET total = total - 1, size = size - OLD.size,
        unseen = unseen - (OLD.flags & 1 = 0), deleted = deleted - (OLD.flags & 8 <> 0)
    WHERE id = OLD.folder;
    DELETE FROM wrap WHERE holder = 'entry/' || printf('%016x', OLD.id);
    DELETE FROM card WHERE id = OLD.id;
END;

CREATE TABLE origin (                   -- what was delivered: where it lies, when it was first opened
    origin   TEXT PRIMARY KEY,          -- the delivery's id
    entry    INTEGER NOT NULL,          -- its last place; the entry may be gone
    opened   REAL,
    wanted   INTEGER NOT NULL,          -- 1: its sender is to be told of that
    copied   REAL,                      -- there is another of it since, which no recall would reach
    withdrawn REAL                      -- its sender took it back, unopened
) STRICT, WITHOUT ROWID;
CREATE INDEX origin_entry ON origin (entry);
CREATE INDEX origin_due ON origin (origin) WHERE wanted = 1 AND opened IS NOT NULL;

CREATE TABLE vanished (                 -- UIDs that were expunged (RFC 7162), the newest thousands
    folder   INTEGER NOT NULL REFERENCES folder (id),
    modseq   INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    PRIMARY KEY (folder, modseq, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (                     -- a quarantine case: a message of which copies were held
    id        TEXT PRIMARY KEY,         -- its holder of the content, if it has one, is 'hold/<id>'
    message   TEXT NOT NULL REFERENCES message (id),
    state     TEXT NOT NULL DEFAULT 'held', -- held, released, refused, expired, cancelled: the
                                        -- trigger keeps it
    opened    REAL NOT NULL,
    expires   REAL NOT NULL,
    decided   REAL,                     -- the last decision about a copy
    preserved BLOB                      -- sealed: a legal hold: by whom, since when, why
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hold_message ON hold (message) WHERE state = 'held';
CREATE INDEX hold_waiting ON hold (opened, id) WHERE state = 'held';
CREATE INDEX hold_overdue ON hold (expires) WHERE state = 'held';
CREATE INDEX hold_decided ON hold (decided, id) WHERE state <> 'held';
CREATE INDEX hold_ended ON hold (state, decided, id) WHERE state <> 'held';
CREATE INDEX hold_opened ON hold (opened, id);

CREATE TABLE held (                     -- one copy that was held, each time it was
    id       TEXT PRIMARY KEY,
    hold     TEXT NOT NULL REFERENCES hold (id),
    delivery TEXT NOT NULL REFERENCES delivery (id),
    state    TEXT NOT NULL,
    reasons  TEXT NOT NULL,             -- stable slugs, space-separated
    since    REAL NOT NULL,
    found    BLOB,                      -- sealed: the same in detail; it may name files
    decided  REAL,
    ruling   BLOB                       -- sealed: who decided what, and in which words
) STRICT, WITHOUT ROWID;
CREATE INDEX held_hold ON held (hold, state);
CREATE INDEX held_delivery ON held (delivery);
CREATE UNIQUE INDEX held_waiting ON held (delivery) WHERE state = 'held';

CREATE TRIGGER held_decided AFTER UPDATE OF state ON held  -- a case stands as its copies do
BEGIN
    UPDATE hold SET decided = NEW.decided, state = CASE
        WHEN EXISTS (SELECT 1 FROM held WHERE hold = NEW.hold AND state = 'held') THEN 'held'
        WHEN EXISTS (SELECT 1 FROM held WHERE hold = NEW.hold AND state = 'released') THEN 'released'
        WHEN EXISTS (SELECT 1 FROM held WHERE hold = NEW.hold AND state = 'refused') THEN 'refused'
        WHEN EXISTS (SELECT 1 FROM held WHERE hold = NEW.hold AND state = 'expired') THEN 'expired'
        ELSE 'cancelled' END
    WHERE id = NEW.hold;
END;

CREATE TABLE remark (                   -- what reviewers wrote beside a case
    id       TEXT PRIMARY KEY,
    hold     TEXT NOT NULL REFERENCES hold (id),
    facts    BLOB NOT NULL              -- sealed: by whom, when, what
) STRICT, WITHOUT ROWID;
CREATE INDEX remark_hold ON remark (hold);

CREATE TABLE trust_edition (            -- every version of a list that was verified, as offered
    id         TEXT PRIMARY KEY,        -- '<source>/<SHA-256 of what was verified>'; the list is the
                                        -- body that 'edition/<id>' holds
    signatures BLOB NOT NULL            -- sealed: those beside it
) STRICT, WITHOUT ROWID;

CREATE TABLE trust_trail (              -- append-only: what became of them, each entry naming all before
    seq      INTEGER PRIMARY KEY,       -- without gaps
    hash     BLOB NOT NULL,             -- SHA-256 of the hash before and of this entry
    entry    BLOB NOT NULL              -- sealed: source, version, what happened, who said so
) STRICT;

CREATE TABLE alarm (                    -- one row: what operators were told, and what is still to be
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    facts    BLOB NOT NULL              -- sealed
) STRICT;

CREATE TABLE denial (                   -- whom our own operators deny; never removed, only lifted
    id       INTEGER PRIMARY KEY,       -- 1, 2, 3 ...: a gap is told of
    facts    BLOB NOT NULL              -- sealed: what, why, by whom, when, and when lifted
) STRICT;

CREATE TABLE certificate (              -- every certificate that we met
    fingerprint TEXT PRIMARY KEY,       -- SHA-256 of its DER
    role     TEXT NOT NULL,             -- ours, peer, next-hop, mailbox, signer
    expires  REAL NOT NULL,
    seen     REAL NOT NULL,             -- the last time, to the day
    warned   INTEGER,                   -- of its expiry, so many days ahead
    facts    BLOB NOT NULL              -- sealed: the certificate, those above it, how it stands
) STRICT, WITHOUT ROWID;

CREATE TABLE authority (                -- what authorities said of certificates
    name     TEXT PRIMARY KEY,          -- keyed, in hex: which list, or whose answer; w…: a whole list
    facts    BLOB NOT NULL              -- sealed: the same in clear, and the answer
) STRICT, WITHOUT ROWID;

CREATE TABLE patience (                 -- peers whose mail does not grow old: spool hold
    domain   TEXT PRIMARY KEY,
    facts    BLOB NOT NULL              -- sealed: by whom, since when, why
) STRICT, WITHOUT ROWID;

CREATE TABLE bridge (                   -- over an expired certificate; asked by one, confirmed by another
    domain   TEXT PRIMARY KEY,
    facts    BLOB NOT NULL              -- sealed: which key and name, by whom, until when
) STRICT, WITHOUT ROWID;

CREATE TABLE directory (                -- directories beside the lists, over restarts
    name     TEXT PRIMARY KEY,          -- as the settings name it
    number   INTEGER NOT NULL,          -- its body's holder is 'directory/<name>/<number>'
    taken    REAL NOT NULL              -- when it was last seen to be what is published
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (                  -- append-only; each row's hash covers the one before it
    seq      INTEGER PRIMARY KEY,
    at       REAL NOT NULL,
    event    TEXT NOT NULL,             -- 'message.accepted', 'login.failed' ...
    actor    TEXT NOT NULL,             -- 'gateway', 'operator:root', 'mailbox:<key>', 'peer:<fingerprint>'
    message  TEXT,
    who      BLOB,                      -- keyed: the sender's or the acting address
    whom     BLOB,                      -- keyed: the recipient's address
    detail   BLOB,                      -- sealed; null: erased, with who and whom
    proof    BLOB NOT NULL,             -- SHA-256 of what detail seals; if erased, all that is left
    hash     BLOB NOT NULL
) STRICT;
CREATE INDEX journal_message ON journal (message) WHERE message IS NOT NULL;
CREATE INDEX journal_who ON journal (who) WHERE who IS NOT NULL;
CREATE INDEX journal_whom ON journal (whom) WHERE whom IS NOT NULL;
CREATE INDEX journal_event ON journal (event)   -- vault/search.py: all but what each message has
    WHERE event NOT IN ('delivery.delivered', 'delivery.relayed', 'message.accepted');
CREATE INDEX journal_operator ON journal (actor)
    WHERE actor >= 'operator:' AND actor < 'operator;';

CREATE TABLE journal_purge (            -- one row, once anything was purged: up to where
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    text     BLOB NOT NULL              -- signed
) STRICT;

CREATE TABLE journal_erasure (          -- which rows' content was erased
    id       INTEGER PRIMARY KEY,
    last     INTEGER NOT NULL,          -- the last of them
    text     BLOB NOT NULL              -- signed
) STRICT;
CREATE INDEX journal_erasure_last ON journal_erasure (last);

CREATE TABLE legal_hold (               -- what must not be purged or erased; never removed, only lifted
    id       INTEGER PRIMARY KEY,       -- 1, 2, 3 ...: a gap is told of
    facts    BLOB NOT NULL              -- sealed: whose or what, why, by whom, when, and when lifted
) STRICT;

CREATE TABLE siem (                     -- one row: how far the journal was told to the SIEM
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      INTEGER NOT NULL
) STRICT;

CREATE TABLE tally (                    -- what the journal told, counted by the hour
    hour     INTEGER NOT NULL,          -- when it began
    what     TEXT NOT NULL,             -- sent, received, refused ...
    kind     TEXT NOT NULL,             -- of the mailbox it concerns; '' for none of ours
    count    INTEGER NOT NULL,
    PRIMARY KEY (hour, what, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE used (                     -- which mailboxes were used in a month
    month    TEXT NOT NULL,             -- '2026-11', as the house's clock has it
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id),
    times    INTEGER NOT NULL,
    PRIMARY KEY (month, mailbox)
) STRICT, WITHOUT ROWID;

CREATE TABLE tallied (                  -- one row: up to where the journal was counted
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    seq      INTEGER NOT NULL,
    message  TEXT NOT NULL              -- the last one that was accepted there
) STRICT;
INSERT INTO tallied VALUES (1, 0, '');

CREATE TABLE offer (                    -- a result that a laboratory's software handed in
    id       TEXT PRIMARY KEY,
    door     TEXT NOT NULL,             -- the folder's name in the settings; '*api': HTTPS
    mark     BLOB NOT NULL UNIQUE,      -- keyed: whose, and under which key
    digest   BLOB NOT NULL,             -- keyed: its bytes, and what was said of them
    message  TEXT NOT NULL,             -- what it became
    at       REAL NOT NULL,
    told     REAL,                      -- when its last answer was written
    corrected INTEGER NOT NULL DEFAULT 0, -- failures after a copy's last answer, not yet told here
    facts    BLOB NOT NULL              -- sealed: the file's name, who was refused
) STRICT, WITHOUT ROWID;
CREATE INDEX offer_open ON offer (door) WHERE told IS NULL;
CREATE INDEX offer_corrected ON offer (door) WHERE corrected > 0;
CREATE INDEX offer_message ON offer (message);

CREATE TABLE unsent (                   -- a result of which no message came, until it is taken after all
    mark     BLOB PRIMARY KEY,          -- keyed: whose, by which door, its file's name or its key
    sender   BLOB NOT NULL,             -- keyed
    at       REAL NOT NULL,
    facts    BLOB NOT NULL              -- sealed: the file's name, why, who was refused
) STRICT, WITHOUT ROWID;
CREATE INDEX unsent_at ON unsent (at);

CREATE TABLE morning (                  -- up to when a watched folder's mornings were written
    door     TEXT PRIMARY KEY,
    upto     REAL NOT NULL
) STRICT, WITHOUT ROWID;
