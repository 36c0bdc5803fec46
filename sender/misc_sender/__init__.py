"""The edge end: sources, semantics and encoding; never imports torch."""
