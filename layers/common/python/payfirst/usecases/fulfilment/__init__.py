"""What a paid session becomes, and what its customer does with it."""
