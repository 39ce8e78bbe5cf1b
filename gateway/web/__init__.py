"""What is asked of others by HTTPS, and what others may ask of us by it."""
