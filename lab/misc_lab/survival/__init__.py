"""Real programs, a real broker and a real (namespaced) network, broken in every way we know of.

`python -m misc_lab.survival` runs all of it; needs root, iproute2 and mosquitto.
"""
