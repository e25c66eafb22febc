"""E-mails to customers: what they say, how they look, and how they leave. They know no table and no status rules."""
