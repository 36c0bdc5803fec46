"""A whole stream in virtual time: both sessions, two simulated links, pictures at both ends."""
