"""How the command line reaches the gateway: a socket while it runs, a lock while it does not."""
