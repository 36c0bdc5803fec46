"""WebRTC data channels as a transport; protocol.md, WebRTC. Needs the extra `webrtc`.

    address ──> opening ──> WebrtcSender    (POSTs offers, reconnects)   ──┐
                        └─> WebrtcListener  (answers them, one stream each) │
                                 both are a WebrtcEndpoint, which has one DataLink at a time
    DataLink = aiortc's peer connection + `tuning` (its timers) + `window` (how much in flight)
    messages = `bundling` (datagrams that go together)

Nothing here is imported before a webrtc+http URL is opened.
"""
