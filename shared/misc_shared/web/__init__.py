"""What all HTTP servers share: limits and time-outs, sites that may ask, and failed attempts.

`server` needs aiohttp; the rest does not.
"""
