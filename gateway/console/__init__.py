"""The operators' console: pages for those who keep the gateway."""
