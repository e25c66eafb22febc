"""The API reference: `openapi.json`, written by `payfirst openapi`, and its page for people, made of it where it is served."""
