"""What a customer puts together before paying."""
