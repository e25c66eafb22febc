"""The operator's `payfirst credentials`."""
