"""The server's side of a conversation: a pure session, and the sockets around it."""
