"""Mailboxes, what they log in with, and how often a wrong password may be tried."""
