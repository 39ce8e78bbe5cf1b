"""What the gateway lets be seen of itself: log lines, metrics, and whether it is well."""
