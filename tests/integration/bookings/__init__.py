"""What paid sessions became: bookings and orders."""
