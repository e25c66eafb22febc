"""What gateways do to a shop, and what its customers see of it."""
