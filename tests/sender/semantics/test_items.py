"""Choosing nouns and drawing maps from scores."""

import dataclasses
from typing import cast

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.captions import write_caption
from misc_sender.semantics.drawing import MapDrawer
from misc_sender.semantics.items import choose_items
from misc_sender.semantics.networks import CaptionNetwork, Sight
from misc_sender.semantics.vocabulary import Noun, Vocabulary

NOUNS = (
    Noun("person", accept=0.3, implies=(), placed=True, inside=0.4),
    Noun("man", accept=0.6, implies=(0,), placed=True, inside=0.4),
    Noun("grass", accept=0.5, implies=(), placed=False, inside=0.5),
    Noun("field", accept=0.5, implies=(), placed=False, inside=0.5),
    Noun("camera", accept=2.0, implies=(), placed=True, inside=0.4),
)
VOCABULARY = Vocabulary(
    NOUNS, (), {}, support=0.2, fluency=-2.0, speak=0.5, familiar=0.5, caution=1.0
)
LEFT, BELOW = (slice(0, 20), slice(0, 10)), (slice(10, 20), slice(0, 20))
PLACES = (LEFT, LEFT, BELOW, BELOW, LEFT)


GRAY = np.full((32, 32, 3), 0.5, np.float32)


def seen(*present: float) -> Sight:
    """Return a sight in which people are on the left and grass is below."""
    patches: NDArray[np.float32] = np.full((len(NOUNS), 20, 20), -4, np.float32)
    for noun, place in enumerate(PLACES):
        patches[noun][place] = 2
    return Sight(np.array(present, np.float32), patches, np.zeros(384, np.float32), GRAY, 1.0)


def names(sight: Sight, limit: int = 3) -> list[str]:
    """Return the names that are chosen."""
    return [choice.name for choice in choose_items(VOCABULARY, sight, limit=limit)]


def test_what_is_not_sure_enough_is_not_said() -> None:
    """Each noun has its own bar; some are never said."""
    assert names(seen(0.29, 0.59, 0.49, 0.49, 1.0)) == []
    assert names(seen(0.31, 0.59, 0.49, 0.49, 1.0)) == ["person"]


def test_the_narrower_noun_replaces_the_wider() -> None:
    """A man is not also sent as a person."""
    assert names(seen(0.99, 0.61, 0.0, 0.0, 0.0)) == ["man"]


def test_two_nouns_for_one_place_are_one_item() -> None:
    """Grass and field on the same cells: the surer one is sent."""
    assert names(seen(0.9, 0.0, 0.6, 0.7, 0.0)) == ["person", "field"]


def test_the_surest_come_first_within_the_limit() -> None:
    """A limit of one sends the best."""
    assert names(seen(0.9, 0.0, 0.95, 0.0, 0.0), limit=1) == ["grass"]


def test_maps_cover_the_high_scores() -> None:
    """Both kinds of nouns are drawn where their patches are sure."""
    person, grass = choose_items(VOCABULARY, seen(0.9, 0.0, 0.6, 0.0, 0.0), limit=3)
    assert person.where.shape == (32, 32)
    assert person.where[:, :16].all()
    assert not person.where[:, 16:].any()
    assert grass.where[16:].all()
    assert not grass.where[:16].any()


WATER = Noun("water", 0.5, (), placed=True, inside=0.3, surface="water")


def test_stuff_follows_colours() -> None:
    """Where scores are vague, the blue half is water, and the green one is not."""
    colours = np.zeros((32, 32, 3), np.float32)
    colours[:12] = 0.3, 0.8, 0.3
    colours[12:] = 0.2, 0.3, 0.8
    patches = np.zeros((2, 20, 20), np.float32)
    patches[0, 12:16, 4:16] = 3.0
    patches[1] = 1.0
    drawn = MapDrawer([WATER, NOUNS[0]], patches, colours).draw(0)
    assert drawn[13:].mean() > 0.9
    assert not drawn[:11].any()


def test_stuff_everywhere_or_nowhere_is_still_drawn() -> None:
    """Equal scores and colours give some map."""
    assert MapDrawer([WATER], np.zeros((1, 20, 20), np.float32), GRAY).draw(0).any()


def test_stuff_is_where_it_leads_over_its_rivals() -> None:
    """A field scores highest at the trees behind it, but trees score higher there still."""
    nouns = [
        Noun(name, 0.5, (), placed=False, inside=0.5, surface=surface)
        for name, surface in (("field", "grass"), ("grass", "grass"), ("tree", "green"))
    ]
    patches = np.full((3, 20, 20), -4, np.float32)
    patches[0, :10], patches[0, 10:] = 3, 1
    patches[1, 10:] = 2
    patches[2, :10] = 4
    field = MapDrawer(nouns, patches, GRAY).draw(0)
    assert field[17:].all()
    assert not field[:15].any()


def test_stuff_leaves_out_the_person_and_keeps_the_rest() -> None:
    """Grass all around somebody is all but that somebody."""
    nouns = [Noun("grass", 0.5, (), placed=False, inside=0.5, surface="grass"), NOUNS[0]]
    patches = np.full((2, 20, 20), -4, np.float32)
    patches[0] = 2
    patches[1, 6:14, 6:14] = 6
    colours = GRAY.copy()
    colours[10:22, 10:22] = 0.9, 0.7, 0.6
    grass = MapDrawer(nouns, patches, colours).draw(0)
    assert not grass[12:20, 12:20].any()
    assert grass[:8].all()
    assert grass[24:].all()


def test_of_an_unfamiliar_picture_no_caption_is_even_tried() -> None:
    """The captioner would say what is said most often, fluently and wrongly."""
    sight = dataclasses.replace(seen(0.9, 0.1, 0.9, 0.1, 0.1), familiar=0.4)
    assert write_caption(cast("CaptionNetwork", None), VOCABULARY, sight) == ""


def test_an_unfamiliar_picture_takes_surer_items() -> None:
    """Half the odds for each 0.7 of caution; what is quite sure is said all the same."""
    sight = dataclasses.replace(seen(0.5, 0.1, 0.99, 0.1, 0.1), familiar=0.4)
    assert names(sight) == ["grass"]
