"""Where notices may come from."""
