"""The live page: what is received, in a browser, and plain HTTP interfaces beside it.

    decode thread ──show──> gallery <──report── receive loop
                               │ rings
                               v
                watchers: one slot a viewer ──> page, JSON, JPEG and PNG, MJPEG, events

Nothing here is waited for: a picture is noted, and whoever watches fetches what is newest then.
"""
