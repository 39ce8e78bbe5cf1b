"""Reading, the twin of sending: sealed mailboxes for existing mail clients."""
