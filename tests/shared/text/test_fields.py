"""Fields one after another, and what no writer writes."""

import pytest

from misc_shared.coding.symbols import AdaptiveChoice, SymbolReader, SymbolWriter
from misc_shared.errors import BitstreamError, LimitError
from misc_shared.packs import Component
from misc_shared.text.coder import MODEL_FILE
from misc_shared.text.fields import FieldCoder
from misc_shared.text.model import END, UNKNOWN, Field, TextModel, load_model
from misc_shared.text.ngram import Distribution


@pytest.fixture(scope="module")
def model(component: Component) -> TextModel:
    """Give the embedded model."""
    return load_model(component.file(MODEL_FILE))


def written(model: TextModel, *texts: str, field: Field = Field.CAPTION) -> bytes:
    """Fields of one kind, one after another."""
    writer = SymbolWriter()
    coder = FieldCoder(model, writer, limit=10_000)
    for text in texts:
        coder.code(field, text)
    return writer.finish()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zyxquark", "zyxquark"),  # spelled once, then known by a number
        ("Brown Dog", "White Dog"),  # title case
        ("dog , cat , man", "girl , boy , hat"),  # spaces where others have none
    ],
)
def test_habits_of_a_text_are_paid_for_once(model: TextModel, one: str, other: str) -> None:
    """The second field of a kind is cheaper than alone."""
    together = len(written(model, one, other, field=Field.DETAIL))
    apart = len(written(model, one, field=Field.DETAIL) + written(model, other, field=Field.DETAIL))
    assert together < apart


@pytest.mark.parametrize("text", ["a dog runs", "A dog.", "zyxquarkish", ", , , ,", "é" * 11])
def test_longer_than_the_limit_is_refused(model: TextModel, text: str) -> None:
    """Exactly: as many characters as the limit are still read."""
    data = written(model, text)
    assert FieldCoder(model, SymbolReader(data), limit=len(text)).code(Field.CAPTION) == text
    with pytest.raises(LimitError, match=f"more than {len(text) - 1} characters"):
        FieldCoder(model, SymbolReader(data), limit=len(text) - 1).code(Field.CAPTION)


class Forger(SymbolWriter):
    """Writes half a character wherever a character outside ASCII is due."""

    def code_bits(self, value: int, count: int) -> int:
        """Write something else, and say nothing."""
        super().code_bits(0xD800, count)
        return value


@pytest.mark.parametrize(
    ("spelling", "message"), [("", "without letters"), ("aé", "0xd800, which is no Unicode")]
)
def test_forged_spelling_is_refused(model: TextModel, spelling: str, message: str) -> None:
    """A word of nothing, and half a character."""
    writer = Forger()
    AdaptiveChoice((60, 200, 4, 4)).code(writer, 0)  # the style of a caption: plain
    first = Distribution(model.shares(Field.CAPTION, [END, END]), model.size)
    first.code(writer, UNKNOWN)
    model.spell(writer, spelling, limit=9)
    with pytest.raises(BitstreamError, match=message):
        FieldCoder(model, SymbolReader(writer.finish()), limit=9).code(Field.CAPTION)
