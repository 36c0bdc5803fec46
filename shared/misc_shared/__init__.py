"""What both ends share: wire format, session, codec, text, maps, transports and packs."""

import os

# Since 1.29 ONNX Runtime reports to its maker over the network, if this is not set before it is
# imported (microsoft/onnxruntime pull request 27379). A camera tells nobody what it does, and a
# link of 1 kbit/s has no room for it. Whoever sets the variable otherwise keeps it so.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
