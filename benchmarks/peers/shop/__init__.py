"""Django's application: the tables of both peers that keep theirs in PostgreSQL."""
