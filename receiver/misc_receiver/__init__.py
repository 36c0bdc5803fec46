"""The receiving end: decoding, refinement and where the pictures go."""
