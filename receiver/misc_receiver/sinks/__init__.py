"""Where received pictures and reports go."""
