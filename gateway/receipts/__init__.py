"""What we tell others about a delivery: receipts for software, bounces for people."""
