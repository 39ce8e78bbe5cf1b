"""One file a format of trust list: bytes to values, nothing verified here."""
