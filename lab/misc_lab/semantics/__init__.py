"""Measures how well a semantics backend tells what pictures show."""
