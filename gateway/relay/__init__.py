"""A message's way through the gateway: the one door in, the spool, the one door out."""
