"""How much of a picture's bytes what is said about it may take.

Apart from the code that keeps to it, so that `--help` needs no NumPy to name the defaults.
"""

__all__ = ["MAP_SHARE", "SIDE_SHARE"]

MAP_SHARE = 0.01
"""Share of a picture's bytes that its maps may take, with the datagram that carries them. Above it
they get coarser, and then stay away: from pictures of less than some 1.6 kB, by default.

`misc-bench ablate` measured what they buy the refined picture: nothing. At 1,150 bytes it is .5 %
farther from the original with maps (SqFD), as their bytes are missing elsewhere; with words alone
it is as near as with latents alone. So this is what outlines are worth to those who look at them,
and to a receiver with Stable Diffusion, where each item's words act in its map: `--map-share`."""

SIDE_SHARE = 0.2
"""Share of a picture's bytes that text and maps may take together."""
