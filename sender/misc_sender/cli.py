"""`misc-send SOURCE --to URL`."""

from pathlib import Path
from typing import Annotated

import typer

from misc_shared.exit_codes import exit_on_error

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_Source = Annotated[
    str,
    typer.Argument(
        help="camera0, a picture, a folder of pictures, a video, sample:NAME or pattern."
    ),
]
_To = Annotated[
    str, typer.Option(help="mqtt://[USER:PASSWORD@]HOST[/misc/STREAM], mqtts://..., file:PATH.")
]
_MaxBytes = Annotated[
    int | None,
    typer.Option("--bytes", help="Bytes per picture on the wire; by default 0.024 bpp."),
]
_Quality = Annotated[
    int | None, typer.Option(help="0 (smallest) to 31 (best); with --bytes, the most to use.")
]
_Kbps = Annotated[float | None, typer.Option(help="Rate of the link in kbit/s; never send faster.")]
_Fps = Annotated[
    float | None, typer.Option(help="Pictures per second; 1 by default where things move.")
]
_Semantics = Annotated[
    str,
    typer.Option(
        help="Who says what is in the picture: nano, file, openai (a vision server), "
        "transformers (a vision-language model on this machine) or none."
    ),
]
_Maps = Annotated[
    str,
    typer.Option(help="Who says where: own (nano and file have maps), clip or none."),
]
_SemanticsEvery = Annotated[
    float | None,
    typer.Option(
        help="Least seconds between questions to openai, transformers or clip; by default "
        "30 where things move, and 0 for pictures in files."
    ),
]
_SemanticsWait = Annotated[
    float | None,
    typer.Option(
        help="Seconds that a picture may wait for their words; by default 0 where things "
        "move, and as long as it takes for pictures in files."
    ),
]
_OpenAIUrl = Annotated[
    str,
    typer.Option(
        envvar="MISC_OPENAI_URL",
        help="Root of an OpenAI-compatible API. The key comes from MISC_OPENAI_KEY or "
        "OPENAI_API_KEY.",
    ),
]
_OpenAIModel = Annotated[
    str, typer.Option(envvar="MISC_OPENAI_MODEL", help="The vision model to ask there.")
]
_OpenAITimeout = Annotated[
    float, typer.Option(help="Seconds that the server has to answer, for each try.")
]
_OpenAIRequestsPerHour = Annotated[
    int, typer.Option(help="Spending limit: requests in any hour, retries counted.")
]
_OpenAITokensPerHour = Annotated[
    int | None,
    typer.Option(help="Spending limit: after this many tokens in an hour, no requests."),
]
_TransformersModel = Annotated[
    str | None,
    typer.Option(
        help="Hub name or folder of an image-text-to-text model; by default "
        "HuggingFaceTB/SmolVLM-256M-Instruct. Nothing is downloaded."
    ),
]
_ClipModel = Annotated[
    str | None,
    typer.Option(
        help="Hub name or folder of a CLIP model for the maps; by default "
        "openai/clip-vit-base-patch16. Nothing is downloaded."
    ),
]
_MapGrid = Annotated[int, typer.Option(help="Cells across and down the maps of clip, 8 to 32.")]
_Count = Annotated[int | None, typer.Option(help="Stop after this many pictures.")]
_Loop = Annotated[bool, typer.Option("--loop", help="Begin again at the end.")]
_KeyEvery = Annotated[
    int | None,
    typer.Option(min=1, help="Let every Nth picture stand alone, 1 for all; else as needed."),
]
_Deadline = Annotated[float, typer.Option(help="Seconds after which a picture is given up.")]
_Stream = Annotated[str | None, typer.Option(help="The stream's name.")]
_Mtu = Annotated[int, typer.Option(help="Bytes of the largest datagram.")]
_MaxSide = Annotated[
    int | None, typer.Option(help="Shrink larger pictures to this many pixels a side.")
]
_Pack = Annotated[str, typer.Option(help="Model pack: nano, or a folder.")]
_CaFile = Annotated[Path | None, typer.Option(help="Certificates to trust, for mqtts.")]
_Explain = Annotated[
    Path | None,
    typer.Option(help="Draw the latest picture here, with its words and what they cost."),
]


@app.command()
def send(
    source: _Source,
    to: _To,
    max_bytes: _MaxBytes = None,
    quality: _Quality = None,
    kbps: _Kbps = None,
    fps: _Fps = None,
    semantics: _Semantics = "nano",
    maps: _Maps = "own",
    semantics_every: _SemanticsEvery = None,
    semantics_wait: _SemanticsWait = None,
    openai_url: _OpenAIUrl = "https://api.openai.com/v1",
    openai_model: _OpenAIModel = "",
    openai_timeout: _OpenAITimeout = 30.0,
    openai_requests_per_hour: _OpenAIRequestsPerHour = 120,
    openai_tokens_per_hour: _OpenAITokensPerHour = None,
    transformers_model: _TransformersModel = None,
    clip_model: _ClipModel = None,
    map_grid: _MapGrid = 16,
    count: _Count = None,
    loop: _Loop = False,
    key_every: _KeyEvery = None,
    deadline: _Deadline = 60.0,
    stream: _Stream = None,
    mtu: _Mtu = 1100,
    max_side: _MaxSide = None,
    pack: _Pack = "nano",
    ca_file: _CaFile = None,
    explain: _Explain = None,
) -> None:
    """Send pictures over a narrow link."""
    with exit_on_error("misc-send"):
        from misc_sender.budget import Budget
        from misc_sender.commands import SendCommand
        from misc_sender.pipeline import SendOptions
        from misc_sender.semantics import OpenAIOptions, SemanticsOptions
        from misc_sender.sources import SourceOptions

        SendCommand(
            source=source,
            to=to,
            stream=stream,
            semantics=SemanticsOptions(
                name=semantics,
                maps=maps,
                every=semantics_every,
                wait=semantics_wait,
                openai=OpenAIOptions(
                    url=openai_url,
                    model=openai_model,
                    timeout=openai_timeout,
                    requests_per_hour=openai_requests_per_hour,
                    tokens_per_hour=openai_tokens_per_hour,
                )
                if semantics == "openai"
                else None,
                model=transformers_model,
                clip_model=clip_model,
                map_grid=map_grid,
            ),
            pack=pack,
            mtu=mtu,
            ca_file=ca_file,
            taking=SourceOptions(fps=fps, loop=loop, max_side=max_side),
            budget=Budget(max_bytes=max_bytes, quality=quality, kbps=kbps, fps=fps),
            sending=SendOptions(deadline=deadline, count=count, kbps=kbps, key_every=key_every),
            explain=explain,
        ).run()
