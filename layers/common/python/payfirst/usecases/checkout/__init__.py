"""From a cart to an attempt at its gateway."""
