"""The client's side of a conversation: a pure dialogue, and the connection around it."""
