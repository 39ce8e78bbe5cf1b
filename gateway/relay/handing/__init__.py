"""Mailboxes that lie on a server of the house: mail is handed to it, and it says what it kept."""
