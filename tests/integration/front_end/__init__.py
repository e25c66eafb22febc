"""What the documentation gives to shops' front ends."""
