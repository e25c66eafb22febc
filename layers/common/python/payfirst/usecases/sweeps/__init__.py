"""What schedules run: expiry, checks, events, mail."""
