"""The API reference: `openapi.json`, written from the routes, the wire models and real answers, and its page for people."""
