"""What the shop itself decides and looks at."""
