"""Metrics for Prometheus, and whether all is well, over HTTP."""

from misc_shared.metrics.options import MetricsSettings

__all__ = ["MetricsSettings"]
