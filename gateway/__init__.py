"""The doors, the motion, the people: everything that runs."""
