"""Payments against the embedded table and the simulated gateways."""
