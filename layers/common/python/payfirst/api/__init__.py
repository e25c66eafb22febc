"""The HTTP edge: wire models, routes, errors; the only code that knows API Gateway."""
