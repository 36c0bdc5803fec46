"""Options of the vision server that cannot work are told before anything is sent."""

import pytest

from misc_sender.semantics import OpenAIOptions
from misc_sender.semantics.openai_options import key_from
from misc_shared.errors import ConfigError

KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"url": "api.openai.com/v1"}, "is no URL of a vision server"),
        ({"url": "ftp://example.com/v1"}, "is no URL of a vision server"),
        ({"url": "https:///v1"}, "is no URL of a vision server"),
        ({"url": "https://[::1/v1"}, "is no URL of a vision server"),
        ({"url": "https://example.com:99999/v1"}, "is no URL of a vision server"),
        ({"url": "https://exam ple.com/v1"}, "is no URL of a vision server"),
        ({"url": "https://me:secret@example.com/v1"}, "holds a user name"),
        ({"url": "http://example.com/v1"}, "in the clear"),
        ({"model": ""}, "give one that the server has with --openai-model"),
        ({"key": ""}, "https://api.openai.com/v1 needs a key; set OPENAI_API_KEY"),
        ({"key": KEY + "\nX: y"}, "is not printable ASCII"),
        ({"key": KEY * 200}, "is not printable ASCII"),
        ({"timeout": 0}, "a timeout of 0 s makes no sense"),
        ({"timeout": float("nan")}, "a timeout of nan s makes no sense"),
        ({"requests_per_hour": 0}, "an hourly limit of 0"),
        ({"tokens_per_hour": -1}, "an hourly limit of -1"),
    ],
)
def test_what_cannot_work_is_one_sentence(options: dict[str, str], complaint: str) -> None:
    """It says what to do, and never what the key or a password is."""
    with pytest.raises(ConfigError) as caught:
        OpenAIOptions(**{"model": "eye-1", "key": KEY, **options})  # type: ignore[arg-type]
    assert complaint in str(caught.value)
    assert KEY not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://example.com/v1", "https://example.com/v1/chat/completions"),
        ("https://example.com/v1/", "https://example.com/v1/chat/completions"),
        ("http://localhost:8000", "http://localhost:8000/chat/completions"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
        ("https://example.com/v1?code=7", "https://example.com/v1/chat/completions?code=7"),
    ],
)
def test_the_endpoint_lies_below_the_root(url: str, endpoint: str) -> None:
    """A query stays where it is, but is never shown."""
    options = OpenAIOptions(url=url, model="eye-1", key=KEY)
    assert options.endpoint == endpoint
    assert "?" not in options.shown


def test_servers_without_keys_need_none() -> None:
    """Such as one in the same network."""
    assert OpenAIOptions(url="http://example.com/v1", model="eye-1", key="").key == ""


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({}, ""),
        ({"OPENAI_API_KEY": " a\n"}, "a"),
        ({"OPENAI_API_KEY": "a", "MISC_OPENAI_KEY": "b"}, "b"),
        ({"OPENAI_API_KEY": "a", "MISC_OPENAI_KEY": ""}, ""),
    ],
)
def test_the_key_comes_from_the_environment(environment: dict[str, str], key: str) -> None:
    """The own variable goes first, and can say that there is none."""
    assert key_from(environment) == key
