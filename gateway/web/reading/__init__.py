"""The reading room: mail in a browser, on a borrowed or a small screen, with nothing left behind."""
