"""A vision server that behaves as its URL says; run as a program, it prints its port.

`/BEHAVIOUR/NAME/v1/chat/completions` answers so; `/BEHAVIOUR/NAME/log` gives the requests that came
there. NAME keeps tests apart.
"""

from __future__ import annotations

import gzip
import json
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "items": [
        {"name": "astronaut", "detail": "orange suit, smiling, center"},
        {"name": "flag", "detail": "red and white, behind her, left"},
    ],
    "caption": "A smiling astronaut in an orange suit stands before a flag.",
}
LONG = {
    "items": [
        {"name": "a very big brown dog", "detail": "is dropped: five words"},
        {"name": "The dog.", "detail": "one two three four five six seven eight nine ten eleven"},
        {"name": "dog", "detail": "named already"},
        *({"name": f"thing {number}", "detail": ""} for number in range(12)),
    ],
    "caption": "It ends here. " + "word " * 60,
}
CONTENTS = {
    "good": json.dumps(GOOD),
    "fenced": f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nAnything else?",
    "extra": json.dumps({**GOOD, "confidence": 0.9}),
    "nothing": '{"items": [], "caption": ""}',
    "long": json.dumps(LONG),
    "prose": "I see a dog.",
    "cut": json.dumps(GOOD)[:-20],
    "types": '{"items": [{"name": 7, "detail": null}], "caption": ["a"]}',
    "list": "[1, 2, 3]",
    "missing": '{"items": [{"name": "dog"}], "caption": "A dog."}',
    "unnamed": '{"items": [{"name": "one two three four", "detail": ""}], "caption": ""}',
    "control": '{"items": [], "caption": "A \\u001b[31mdog."}',
    "lone": '{"items": [], "caption": "A \\ud800 dog."}',
    "word": json.dumps({"items": [], "caption": "a" * 31}),
    "lengthy": json.dumps({"items": [], "caption": "dog " * 6000}),
    "deep": '{"items": ' + "[" * 9000 + "}",
}
BODIES: dict[str, bytes] = {
    "html": b"<html><body>It works!</body></html>",
    "empty": b"",
    "choiceless": b'{"choices": []}',
    "shapeless": b'{"choices": {"message": 1}}',
    "refusing": b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}',
    "huge": b" " * 300_000,
}
# Status and headers; the body repeats the key, as some servers do.
ERRORS: dict[str, tuple[int, dict[str, str]]] = {
    "s400": (400, {}),
    "s401": (401, {}),
    "s404": (404, {}),
    "s429": (429, {}),
    "s500": (500, {}),
    "busy": (429, {"Retry-After": "1"}),
    "busy-long": (429, {"Retry-After": "90"}),
    "busy-date": (503, {"Retry-After": "Fri, 31 Dec 2999 23:59:59 GMT"}),
    "moved": (307, {"Location": "/good/moved/v1/chat/completions"}),
}


class Server(ThreadingHTTPServer):
    """Remembers what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.log: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def handle_error(self, *_: object) -> None:
        """Stay quiet when a client has had enough."""


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Give the log."""
        _, behaviour, name, _ = self.path.split("/", 3)
        self.give(200, {}, body=json.dumps(self.server.log[f"{behaviour}/{name}"]).encode())

    def do_POST(self) -> None:
        """Answer a request for a description."""
        _, behaviour, name, rest = self.path.split("/", 3)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        came = self.server.log[f"{behaviour}/{name}"]
        came.append(
            {
                "at": time.monotonic(),
                "rest": rest,
                "key": self.headers.get("Authorization"),
                "body": json.loads(body),
            }
        )
        self.behave(behaviour, number=len(came), request=came[-1]["body"])

    def behave(self, behaviour: str, *, number: int, request: dict[str, Any]) -> None:
        """Do what the path says; "once" is for the first request only, "later" for all others."""
        stem, _, when = behaviour.partition(":")
        if (when == "once" and number > 1) or (when == "later" and number == 1):
            stem = "good"
        if stem == "schemaless":
            stem = "s400" if "response_format" in request else "good"
        if stem in ERRORS:
            self.give(*ERRORS[stem], body=self.echo().encode())
        elif stem in BODIES:
            self.give(200, {}, body=BODIES[stem])
        elif stem in CONTENTS:
            self.give(200, {}, body=completion(CONTENTS[stem]))
        else:
            getattr(self, stem)()

    def slow(self) -> None:
        """Think for a while."""
        time.sleep(1.5)
        self.give(200, {}, body=completion(CONTENTS["good"]))

    def gone(self) -> None:
        """Hang up without a word."""
        self.close_connection = True

    def half(self) -> None:
        """Hang up in the middle."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices": ')
        self.close_connection = True

    def trickle(self) -> None:
        """Answer so slowly that no single read takes long."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def squeezed(self) -> None:
        """Compress what nobody wanted compressed."""
        packed = gzip.compress(completion(CONTENTS["good"]))
        self.give(200, {"Content-Encoding": "gzip"}, body=packed)

    def echoing(self) -> None:
        """Describe the key."""
        content = json.dumps({**GOOD, "caption": self.echo()})
        self.give(200, {}, body=completion(content))

    def echo(self) -> str:
        """Repeat the key."""
        return f"Incorrect key: {self.headers.get('Authorization')}"

    def give(self, status: int, headers: dict[str, str], *, body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def completion(content: str) -> bytes:
    """Wrap a model's words as a chat completion that cost 700 tokens."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}}
    return json.dumps({"choices": [choice], "usage": {"total_tokens": 700}}).encode()


if __name__ == "__main__":
    running = Server()
    print(running.server_address[1], flush=True)  # noqa: T201 - this is how the tests find it
    running.serve_forever()
