"""Who says what is in the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_sender.semantics import OpenAIOptions, SemanticsOptions

__all__ = ["SemanticsSettings"]


@dataclass(frozen=True, kw_only=True)
class SemanticsSettings:
    """Words and maps, and the servers and models that make them."""

    panel: ClassVar[str] = "Words and maps"

    semantics: Annotated[
        str,
        typer.Option(
            help="Who says what is in the picture: nano, file, openai (a vision server), "
            "transformers (a vision-language model on this machine) or none."
        ),
    ] = "nano"
    maps: Annotated[
        str, typer.Option(help="Who says where: own (nano and file have maps), clip or none.")
    ] = "own"
    semantics_every: Annotated[
        float | None,
        typer.Option(
            help="Least seconds between questions to openai, transformers or clip; by default "
            "30 where things move, and 0 for pictures in files."
        ),
    ] = None
    semantics_wait: Annotated[
        float | None,
        typer.Option(
            help="Seconds that a picture may wait for their words; by default 0 where things "
            "move, and as long as it takes for pictures in files."
        ),
    ] = None
    openai_url: Annotated[
        str,
        typer.Option(
            envvar="MISC_OPENAI_URL",
            help="Root of an OpenAI-compatible API, also in MISC_OPENAI_URL. The key comes from "
            "MISC_OPENAI_KEY or OPENAI_API_KEY.",
        ),
    ] = "https://api.openai.com/v1"
    openai_model: Annotated[
        str,
        typer.Option(
            envvar="MISC_OPENAI_MODEL",
            help="The vision model to ask there, also in MISC_OPENAI_MODEL.",
        ),
    ] = ""
    openai_timeout: Annotated[
        float, typer.Option(help="Seconds that the server has to answer, for each try.")
    ] = 30.0
    openai_requests_per_hour: Annotated[
        int, typer.Option(help="Spending limit: requests in any hour, retries counted.")
    ] = 120
    openai_tokens_per_hour: Annotated[
        int | None,
        typer.Option(help="Spending limit: after this many tokens in an hour, no requests."),
    ] = None
    transformers_model: Annotated[
        str | None,
        typer.Option(
            help="Hub name or folder of an image-text-to-text model; by default "
            "HuggingFaceTB/SmolVLM-256M-Instruct. Nothing is downloaded."
        ),
    ] = None
    clip_model: Annotated[
        str | None,
        typer.Option(
            help="Hub name or folder of a CLIP model for the maps; by default "
            "openai/clip-vit-base-patch16. Nothing is downloaded."
        ),
    ] = None
    map_grid: Annotated[
        int, typer.Option(help="Cells across and down the maps of clip, 8 to 32.")
    ] = 16

    def describing(self) -> SemanticsOptions:
        """Who describes the pictures.

        Raises:
            ConfigError: the vision server's options make no sense.
        """
        from misc_sender.semantics import SemanticsOptions

        return SemanticsOptions(
            name=self.semantics,
            maps=self.maps,
            every=self.semantics_every,
            wait=self.semantics_wait,
            openai=self._server() if self.semantics == "openai" else None,
            model=self.transformers_model,
            clip_model=self.clip_model,
            map_grid=self.map_grid,
        )

    def _server(self) -> OpenAIOptions:
        from misc_sender.semantics import OpenAIOptions

        return OpenAIOptions(
            url=self.openai_url,
            model=self.openai_model,
            timeout=self.openai_timeout,
            requests_per_hour=self.openai_requests_per_hour,
            tokens_per_hour=self.openai_tokens_per_hour,
        )
