"""The pages on which who received a link reads a document too large for their own mail server."""
