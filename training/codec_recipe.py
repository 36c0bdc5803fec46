"""Everything that makes the codec: train all stages, export, check, and measure where told.

    python -m training.codec_recipe --data DIR --teachers DIR --work DIR --out PACK/codec

Stages and their shares of --minutes: joint 35 %, then silent channels are revived, revived 45 %,
synthesis 20 %. Run it again after a cut, or after --run-minutes: it goes on where it was, on
whatever photos-*.tar are in --data by then. When training is complete it exports.

On a CPU: `--minutes 240`, batch 4, half a second a step and core, half of that where it multiplies
bfloat16 matrices. `training.codec_restore` makes a checkpoint of a pack to go on from, of a smaller
network too. On one large GPU:
`--device cuda --batch 64 --rate 6e-4 --minutes 25 --run-minutes 9`, three times.
"""

import argparse
import time
from pathlib import Path

import torch

from training import codec, codec_export, codec_revive

SHARES = {"joint": 0.35, "revived": 0.45, "synthesis": 0.20}
# A revived channel has to be learned before it has to pay; the synthesis pays for no bits.
LAMBDA_BEGIN = {"joint": 0.25, "revived": 0.3, "synthesis": 1.0}


def standing(work: Path) -> tuple[str, float]:
    """Give the stage of the checkpoint and the minutes that it has had."""
    path = work / "codec.pt"
    if not path.exists():
        return "joint", 0.0
    state = torch.load(path, weights_only=True, map_location="cpu")
    return str(state["stage"]), float(state["stage_spent"]) / 60


def run_stages(args: argparse.Namespace) -> bool:
    """Train until all is done (True) or --run-minutes are over (False)."""
    end = time.time() + args.run_minutes * 60
    stage, spent = standing(args.work)
    for name in codec.STAGES[codec.STAGES.index(stage) :]:
        minutes = args.minutes * SHARES[name]
        spent = spent if name == stage else 0.0
        if name == "revived" and stage == "joint":
            codec_revive.run(args)
        if spent < minutes:
            left = max(0.0, (end - time.time()) / 60)
            print(f"stage {name}: {spent:.1f} of {minutes:.1f} min, at most {left:.1f} now")
            settings = {"stage": name, "lambda_begin": LAMBDA_BEGIN[name], "run_minutes": left}
            codec.run(argparse.Namespace(**(vars(args) | settings | {"minutes": minutes})))
        if standing(args.work)[1] < minutes:
            return False
    return True


def main() -> None:
    """Parse the command line and do what is still to do."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    codec.add_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="the pack's codec folder")
    codec_export.add_arguments(parser)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    if run_stages(args):
        codec_export.export(args)
    else:
        print("not finished: run the same command again")


if __name__ == "__main__":
    main()
