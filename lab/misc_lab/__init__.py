"""Simulated links, benchmarks and the demonstration; the only room that imports both ends."""
