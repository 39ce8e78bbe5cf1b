"""Messages too large for a next hop: they stay sealed at home, and who is entitled fetches them."""
