"""The same shop of produce, built as others build it: each answers document B's requests with the same bodies."""
