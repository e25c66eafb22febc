"""Writes `openapi.json` from the routes and the wire's models; runs at build time, not in the layer."""
