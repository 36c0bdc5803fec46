"""Kills a camera and its receiver again and again, and counts what is lost or comes twice."""
