"""The API reference: `openapi.json` and its page for people, both written by `payfirst openapi`."""
