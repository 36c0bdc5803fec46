"""Recipes that make the model packs; not part of the distribution."""
