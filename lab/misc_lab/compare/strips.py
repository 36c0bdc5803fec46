"""What is on the screen after 1, 2, 5, 10 and 30 seconds, as rows of small pictures.

All links and photographs are in the page at once. Radio buttons choose among them by CSS alone:
the page needs no script, and a picture that many cells show is in it once.
"""

from collections.abc import Iterator, Sequence
from html import escape

from misc_lab.compare.findings import Look, PictureFindings, Way
from misc_lab.compare.settings import LOOKS
from misc_lab.compare.summary import CODECS, LABELS, OURS
from misc_lab.compare.words import byte_count, duration, rate, score
from misc_lab.links import Profile

__all__ = ["choice_style", "choosers", "strips"]


def choosers(pictures: Sequence[PictureFindings], profiles: Sequence[Profile], first: int) -> str:
    """The radio buttons: one row of photographs, one list of links."""
    photos = "".join(
        f'<label class="photo"><input type="radio" name="photo" id="p{index}"{_on(index == 0)}>'
        f'<i class="shot i{_original(picture)}" role="img" aria-label="{escape(picture.name)}"></i>'
        f"<span>{escape(picture.name)}</span></label>"
        for index, picture in enumerate(pictures)
    )
    links = "".join(
        f'<label class="link"><input type="radio" name="link" id="l{index}"{_on(index == first)}>'
        f"<span>{escape(profile.name)}<small>{rate(profile.rate)}</small></span></label>"
        for index, profile in enumerate(profiles)
    )
    return (
        f'<fieldset class="photos"><legend>Photograph</legend>{photos}</fieldset>'
        f'<fieldset class="links"><legend>Link</legend>{links}</fieldset>'
    )


def choice_style(photos: int, links: int) -> str:
    """CSS that shows the strip of the chosen photograph and link."""
    pairs = (
        f"main:has(#p{photo}:checked):has(#l{link}:checked) .s{photo}-{link}"
        for photo in range(photos)
        for link in range(links)
    )
    return f".strip{{display:none}}{','.join(pairs)}{{display:grid}}"


def strips(pictures: Sequence[PictureFindings], profiles: Sequence[Profile]) -> str:
    """A strip for each photograph and link."""
    return "".join(
        _strip(picture, profile, f"s{photo}-{number}")
        for photo, picture in enumerate(pictures)
        for number, profile in enumerate(profiles)
    )


def _strip(picture: PictureFindings, profile: Profile, name: str) -> str:
    heads = "".join(f'<span class="when">{second:g} s</span>' for second in LOOKS)
    ways = picture.ways[profile.name]
    rows = "".join(_row(codec, ways.get(codec), picture) for codec in CODECS)
    shape = f"--shape:{picture.width}/{picture.height}"
    told = f"{profile.source}. One way {profile.delay:g} s" + (
        f", {100 * profile.loss.p / (profile.loss.p + profile.loss.r):.1f} % lost in bursts."
        if profile.loss
        else "."
    )
    if profile.down_rate == 0:
        told += " Nothing comes back."
    return (
        f'<div class="strip {name}" style="{shape}"><p class="told"><b>{escape(profile.name)}</b> '
        f'{escape(told)}</p><span class="when"></span>{heads}<span class="when">in the end</span>'
        f"{rows}</div>"
    )


def _row(codec: str, way: Way | None, picture: PictureFindings) -> str:
    label = f'<b class="name"><i class="dot {codec}"></i>{LABELS[codec]}</b>'
    if way is None:
        never = '<span class="never">larger than the link’s sessions carry</span>'
        return f'<span class="who">{label}</span>{never}'
    setting = "coarse, then refined" if codec == OURS else way.setting
    who = (
        f'<span class="who">{label}<small>{byte_count(way.bytes)} sent<br>{setting}</small></span>'
    )
    return who + "".join(_cells(codec, way, picture))


def _cells(codec: str, way: Way, picture: PictureFindings) -> Iterator[str]:
    for moment, look in way.looks.items():
        last = moment == "final"
        note = f"after {duration(way.final)}" if last else ""
        when = "in the end" if last else f"after {moment} s"
        yield _cell(look, f"{LABELS[codec]}, {picture.name}, {when}", note)


def _cell(look: Look, label: str, note: str) -> str:
    if look.metrics is None:
        empty = f'<i class="shot none" role="img" aria-label="{escape(label)}: nothing"></i>'
        return f'<span class="cell">{empty}</span>'
    badge = "<em>generated</em>" if look.generated else ""
    quality = score(look.metrics["ms_ssim"])
    return (
        f'<span class="cell"><i class="shot i{look.image}" role="img" aria-label="{escape(label)}">'
        f"{badge}</i><small>{quality}<span>{note}</span></small></span>"
    )


def _original(picture: PictureFindings) -> str:
    return str(picture.same_bytes[0]["image"])


def _on(chosen: bool) -> str:  # noqa: FBT001 - a private helper of one line
    return " checked" if chosen else ""
