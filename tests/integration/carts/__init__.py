"""Both carts against a real table."""
