"""The gateway while it runs: its doors, its loops and chores, and how it stands."""
