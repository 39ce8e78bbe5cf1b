"""Handing mail in by HTTPS, and asking what became of it."""
