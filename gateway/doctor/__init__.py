"""``sceau doctor``: is everything as it must be, inside and outside, and if not, what to do."""
