"""What is inside a message: its header, its parts, and the reports that are messages too."""
