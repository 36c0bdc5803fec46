"""The session: what is sent next, repeated, acknowledged and given up, without any I/O."""
