"""Mail on the wire: the vocabulary, the server's and the client's side. Imports nothing of ours."""
