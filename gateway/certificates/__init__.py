"""Certificates as the gateway meets them: who has which, how each stands, when it ends."""
