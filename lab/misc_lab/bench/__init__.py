"""Rate against quality: our codec and the usual ones, every byte counted."""
