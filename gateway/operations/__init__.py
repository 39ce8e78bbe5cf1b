"""Every operator verb, once: the command line and the console both call these."""
