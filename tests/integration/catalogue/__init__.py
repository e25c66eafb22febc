"""The catalogue and what fills it."""
