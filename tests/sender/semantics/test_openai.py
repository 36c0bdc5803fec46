"""The backend that asks a vision server, against a real one in another process."""

import base64
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.sender.semantics.conftest import VisionServer

from misc_sender.semantics import OpenAIOptions, chat
from misc_sender.semantics.openai import OpenAISemantics
from misc_shared.errors import ConfigError, SemanticsError, TransportError
from misc_shared.semantics import Item, Semantics

KEY = "sk-test-0123456789abcdef"
SAID = Semantics(
    (
        Item("astronaut", "orange suit, smiling, center"),
        Item("flag", "red and white, behind her, left"),
    ),
    "A smiling astronaut in an orange suit stands before a flag.",
)

Opener = Callable[..., OpenAISemantics]


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(chat, "_FIRST_WAIT", 0.02)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


@pytest.fixture
def ask(vision_server: VisionServer) -> Iterator[Opener]:
    """Give a function that makes a backend for a URL or a behaviour."""
    with ExitStack() as stack:

        def opened(url: str, **options: object) -> OpenAISemantics:
            url = url if "://" in url else vision_server.url(url)
            settings: dict[str, Any] = {"model": "eye-1", "key": KEY, "timeout": 5.0, **options}
            backend = OpenAISemantics(OpenAIOptions(url=url, **settings))
            stack.callback(backend.close)
            return backend

        yield opened


@pytest.fixture(autouse=True)
def _key_stays_secret(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Whatever happens, the key is in neither output nor log, at any level."""
    caplog.set_level(logging.NOTSET)
    yield
    shown = capfd.readouterr()
    assert KEY not in shown.out + shown.err + caplog.text


def refusal(backend: OpenAISemantics, photo: NDArray[np.uint8], kind: type[Exception]) -> str:
    """Return the message of the error that describing a picture ends in."""
    with pytest.raises(kind) as caught:
        backend.describe(photo)
    assert type(caught.value) is kind or kind is ConfigError
    seen: BaseException | None = caught.value
    while seen is not None:
        assert KEY not in repr(seen) + str(seen)
        seen = seen.__cause__ or seen.__context__
    return str(caught.value)


def test_a_good_answer_is_items_and_a_caption(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8]
) -> None:
    """One request asks for all three parts, with a schema and a small picture."""
    url = vision_server.url("good")
    assert ask(url).describe(photo) == SAID
    (request,) = vision_server.requests(url)
    assert request["rest"] == "v1/chat/completions"
    assert request["key"] == f"Bearer {KEY}"
    body = request["body"]
    assert body["model"] == "eye-1"
    assert body["response_format"]["json_schema"]["strict"] is True
    prompt, picture = body["messages"][0]["content"]
    assert all(part in prompt["text"] for part in ("1. Items", "2. Detail", "3. Caption"))
    kind, data = picture["image_url"]["url"].split(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (512, 512)


@pytest.mark.parametrize("shape", [(2000, 1000), (30, 40), (1, 3000)])
def test_pictures_of_any_size_are_uploaded_small(
    ask: Opener, vision_server: VisionServer, shape: tuple[int, int]
) -> None:
    """The longer side has at most 512 pixels, and small pictures stay as they are."""
    url = vision_server.url("good")
    ask(url).describe(np.zeros((*shape, 3), np.uint8))
    (request,) = vision_server.requests(url)
    data = request["body"]["messages"][0]["content"][1]["image_url"]["url"].split(",")[1]
    assert max(Image.open(io.BytesIO(base64.b64decode(data))).size) == min(512, max(shape))


@pytest.mark.parametrize("behaviour", ["fenced", "extra"])
def test_words_around_the_answer_do_no_harm(
    ask: Opener, photo: NDArray[np.uint8], behaviour: str
) -> None:
    """Nor do fields that nobody asked for."""
    assert ask(behaviour).describe(photo) == SAID


def test_nothing_to_see_is_an_answer(ask: Opener, photo: NDArray[np.uint8]) -> None:
    """Empty semantics, no error."""
    assert ask("nothing").describe(photo) == Semantics()


def test_overlong_text_is_cut_by_the_rules(ask: Opener, photo: NDArray[np.uint8]) -> None:
    """Long names go, details end after ten words, captions at a full stop, items at eight."""
    said = ask("long").describe(photo)
    assert [item.name for item in said.items] == ["dog", *(f"thing {n}" for n in range(7))]
    assert said.items[0].detail == "one two three four five six seven eight nine ten"
    assert said.caption == "It ends here."


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        ("prose", "no JSON object"),
        ("list", "no JSON object"),
        ("cut", "not the JSON that was asked for"),
        ("types", "Expected `str`, got `int`"),
        ("missing", "missing required field `detail`"),
        ("unnamed", "none of the 1 items"),
        ("control", "control characters"),
        ("lone", "not the JSON"),
        ("word", "longer than 30 characters"),
        ("lengthy", "expected at most 20000"),
        ("deep", "not the JSON"),
        ("html", "no chat completion"),
        ("empty", "no chat completion"),
        ("choiceless", "no chat completion"),
        ("shapeless", "no chat completion"),
        ("refusing", "eye-1 declined"),
        ("huge", "more than the limit of 262144 bytes"),
        ("squeezed", "an encoding not asked for"),
    ],
)
def test_nonsense_is_one_typed_error_and_is_not_asked_again(
    ask: Opener,
    vision_server: VisionServer,
    photo: NDArray[np.uint8],
    behaviour: str,
    complaint: str,
) -> None:
    """The picture then goes without words; a paid server is not paid twice for nonsense."""
    url = vision_server.url(behaviour)
    assert complaint in refusal(ask(url), photo, SemanticsError)
    assert len(vision_server.requests(url)) == 1


@pytest.mark.parametrize("behaviour", ["s500:once", "gone:once"])
def test_what_fails_in_passing_is_tried_again(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8], behaviour: str
) -> None:
    """A second try brings the words."""
    url = vision_server.url(behaviour)
    assert ask(url).describe(photo) == SAID
    assert len(vision_server.requests(url)) == 2


def test_a_retry_waits_as_long_as_the_server_asks(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8]
) -> None:
    """Retry-After goes before the own back-off."""
    url = vision_server.url("busy:once")
    assert ask(url).describe(photo) == SAID
    first, second = vision_server.requests(url)
    assert second["at"] - first["at"] >= 1


@pytest.mark.parametrize("behaviour", ["busy-long", "busy-date"])
def test_a_long_wait_is_kept_across_pictures(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8], behaviour: str
) -> None:
    """The picture does not wait, and the next one does not ask before the time."""
    url = vision_server.url(behaviour)
    backend = ask(url)
    assert " answered " in refusal(backend, photo, SemanticsError)
    assert "asked not to be asked for another" in refusal(backend, photo, SemanticsError)
    assert len(vision_server.requests(url)) == 1


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        ("s429", "answered 429 (Incorrect key: Bearer ***)"),
        ("s500", "answered 500 (Incorrect key: Bearer ***)"),
        ("gone", "broke off"),
        ("half", "broke off"),
    ],
)
def test_a_server_that_keeps_failing_costs_three_tries_and_the_words(
    ask: Opener,
    vision_server: VisionServer,
    photo: NDArray[np.uint8],
    behaviour: str,
    complaint: str,
) -> None:
    """The stream goes on; the key that the server echoes is struck out."""
    url = vision_server.url(behaviour)
    assert complaint in refusal(ask(url), photo, SemanticsError)
    assert len(vision_server.requests(url)) == 3


@pytest.mark.parametrize("behaviour", ["slow", "trickle"])
def test_a_slow_answer_is_given_up(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8], behaviour: str
) -> None:
    """So is one that comes byte by byte and never lets a read time out."""
    url = vision_server.url(behaviour)
    started = time.monotonic()
    complaint = refusal(ask(url, timeout=0.3), photo, SemanticsError)
    assert "no complete answer within 0.3 s" in complaint
    assert time.monotonic() - started < 12  # three trickles in full take 15
    assert len(vision_server.requests(url)) == 3


@pytest.mark.parametrize(
    ("behaviour", "tries", "advice"),
    [
        ("s400", 2, "check that --openai-model takes pictures"),
        ("s401", 1, "check the key in MISC_OPENAI_KEY or OPENAI_API_KEY"),
        ("s404", 1, "check --openai-url and --openai-model"),
        ("moved", 1, "redirects are not followed"),
    ],
)
def test_a_refusal_ends_with_advice(
    ask: Opener,
    vision_server: VisionServer,
    photo: NDArray[np.uint8],
    behaviour: str,
    tries: int,
    advice: str,
) -> None:
    """What another try would not mend is for the user to mend."""
    url = vision_server.url(behaviour)
    assert advice in refusal(ask(url), photo, ConfigError)
    assert len(vision_server.requests(url)) == tries


def test_a_refusal_after_good_answers_costs_only_the_words(
    ask: Opener, photo: NDArray[np.uint8]
) -> None:
    """A camera does not stop because a key was revoked."""
    backend = ask("s401:later")
    assert backend.describe(photo) == SAID
    assert "answered 401" in refusal(backend, photo, SemanticsError)


def test_a_server_without_schemas_is_asked_without(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8]
) -> None:
    """The prompt alone says what to answer; later pictures don't try the schema again."""
    url = vision_server.url("schemaless")
    backend = ask(url)
    assert backend.describe(photo) == SAID
    assert backend.describe(photo) == SAID
    forms = ["response_format" in request["body"] for request in vision_server.requests(url)]
    assert forms == [True, False, False]


def test_nobody_there_is_an_error_of_this_side(ask: Opener, photo: NDArray[np.uint8]) -> None:
    """It names the address."""
    complaint = refusal(ask("http://127.0.0.1:9/v1"), photo, TransportError)
    assert complaint.startswith("http://127.0.0.1:9/v1 does not answer (")


def test_an_echoed_key_stays_out_of_the_caption(ask: Opener, photo: NDArray[np.uint8]) -> None:
    """It would go out with the picture."""
    assert ask("echoing").describe(photo).caption == "Incorrect key: Bearer ***"


def test_the_hour_has_a_limit_of_requests(
    ask: Opener, vision_server: VisionServer, photo: NDArray[np.uint8]
) -> None:
    """Retries count: they may be paid for."""
    url = vision_server.url("s500:once")
    backend = ask(url, requests_per_hour=2)
    assert backend.describe(photo) == SAID
    complaint = refusal(backend, photo, SemanticsError)
    assert complaint.startswith("the spending limit of 2 requests an hour is reached")
    assert len(vision_server.requests(url)) == 2


def test_the_hour_has_a_limit_of_tokens(ask: Opener, photo: NDArray[np.uint8]) -> None:
    """What the server says an answer cost counts: 700 tokens each."""
    backend = ask("good", tokens_per_hour=1000)
    assert backend.describe(photo) == backend.describe(photo) == SAID
    assert "limit of 1000 tokens" in refusal(backend, photo, SemanticsError)


def test_closing_ends_the_wait_for_another_try(
    ask: Opener,
    vision_server: VisionServer,
    monkeypatch: pytest.MonkeyPatch,
    photo: NDArray[np.uint8],
) -> None:
    """Ctrl-C does not wait for a busy server."""
    monkeypatch.setattr(chat, "_FIRST_WAIT", 60.0)
    monkeypatch.setattr(chat, "_LONGEST_WAIT", 60.0)
    url = vision_server.url("s500")
    backend = ask(url)
    closing = threading.Timer(0.5, backend.close)
    closing.start()
    assert "stopped before the server answered" in refusal(backend, photo, SemanticsError)
    closing.join()
    assert "stopped before the server answered" in refusal(backend, photo, SemanticsError)
    assert len(vision_server.requests(url)) == 1


def test_the_key_is_in_no_repr(ask: Opener) -> None:
    """Neither of the options nor of what holds them."""
    backend = ask("good")
    assert KEY not in repr(OpenAIOptions(model="eye-1", key=KEY)) + repr(vars(backend))
