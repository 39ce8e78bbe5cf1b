"""Two gateways, a laboratory, clinicians and an outsider on loopback."""
