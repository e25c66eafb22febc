"""`Idempotency-Key` against the table itself."""
