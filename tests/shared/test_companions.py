"""How coroutines are run together, and how a program ends."""

import asyncio

import pytest

from misc_shared.companions import end_tasks, run_with_companions
from misc_shared.errors import BitstreamError, ConfigError
from misc_shared.exit_codes import exit_on_error


async def test_companions_end_with_the_main_one() -> None:
    """When it returns, the others are cancelled and waited for."""
    ended = []

    async def companion() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("companion")

    await run_with_companions(asyncio.sleep(0.01), companion())
    assert ended == ["companion"]


async def test_a_companion_may_return_early() -> None:
    """The main one goes on."""
    finished = []

    async def main() -> None:
        await asyncio.sleep(0.02)
        finished.append("main")

    await run_with_companions(main(), asyncio.sleep(0))
    assert finished == ["main"]


async def test_the_first_error_comes_out_as_itself() -> None:
    """Not in a group, and the main one is cancelled."""
    cancelled = []

    async def main() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("main")
            raise

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ConfigError("wrong")

    with pytest.raises(ConfigError, match="wrong"):
        await run_with_companions(main(), failing())
    assert cancelled == ["main"]


async def test_a_task_that_drops_a_cancellation_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As wait_for of Python 3.11 does when its own work is done in that moment."""
    monkeypatch.setattr("misc_shared.companions._ASK_AGAIN", 0.01)
    asked = []

    async def deaf_at_first() -> None:
        while len(asked) < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                asked.append(1)

    async def failing() -> None:
        raise ConfigError("wrong")

    tasks = [asyncio.create_task(deaf_at_first()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end_tasks(*tasks)
    assert all(task.done() for task in tasks)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("no such\n option"), 2), (BitstreamError("bad"), 1), (KeyboardInterrupt(), 130)],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """2 for our own faults, 1 for the other end's, one line on standard error."""
    with pytest.raises(SystemExit) as caught, exit_on_error("misc-test"):
        raise error
    assert caught.value.code == code
    said = capsys.readouterr().err
    assert said.count("\n") == (code != 130)
    assert str(error).split()[0] in said if str(error) else not said


def test_other_errors_are_not_hidden() -> None:
    """A mistake of ours keeps its traceback."""
    with pytest.raises(ZeroDivisionError), exit_on_error("misc-test"):
        _ = 1 / 0
