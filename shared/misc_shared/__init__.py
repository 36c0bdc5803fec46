"""What both ends share: wire format, session, codec, text, maps, transports and packs."""
