"""Health documents: whose they are, what they say, and how they travel in a mail."""
