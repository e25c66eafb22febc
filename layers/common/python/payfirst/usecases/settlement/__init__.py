"""What the evidence about an attempt makes of it."""
