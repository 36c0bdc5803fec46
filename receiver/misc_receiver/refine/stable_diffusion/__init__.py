"""The refiner `sd`: Stable Diffusion with a tile ControlNet, prompted item by item.

MISC's scheme (arXiv 2402.16749) brought up to date: one denoising loop from the coarse picture, in
which the caption acts everywhere and each item's words in its own map.
"""
