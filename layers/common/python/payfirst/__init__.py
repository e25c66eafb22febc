"""PayFirst: money first, then exactly one booking, order or refund."""
