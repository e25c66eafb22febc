"""The operator's command line `payfirst` and what it does."""
