"""Set-up in one step: what mail programs ask to configure themselves, and a page for who sets them up."""
