"""The pages on which a person looks after their own mailbox, and the session that others build on."""
