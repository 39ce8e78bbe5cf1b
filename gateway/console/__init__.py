"""The operators' console: what an operator does by command, seen and done in a browser."""
