"""Many cameras at once over a real broker, one of them hostile: is anybody starved?"""
