r"""The recipes by which models are trained, each with its command and its result.

Every command is of `i3d train`, with the dataset's flags and
--out=RUN added: --dataset=kinetics400 --annotations=train.csv,val.csv --videos=DIR,
or --records=DIR of prepared records, which Flow needs to be of any speed.

A batch size is that of all devices together. On fewer, give --batch_size, and with it
--learning_rate in proportion (Goyal et al., arXiv 1706.02677); or
--gradient_accumulation_steps.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from ..data.clip_recipe import ClipRecipe
from .recipe import TrainingRecipe

_RGB, _FLOW = ClipRecipe("rgb"), ClipRecipe("flow")
_recipe = dataclasses.dataclass(frozen=True, kw_only=True)


@_recipe
class ReleaseRgb(TrainingRecipe):
    """The release's RGB stream on Kinetics-400: 64 replicas of 6 clips.

    --recipe=release_rgb --init=IMAGENET, a checkpoint inflated from ImageNet's.

    Expect (the release's figures on the test set): top-1 71.1, top-5 89.3.
    Source: README of the release, 'Training'.
    """

    clip: ClipRecipe = _RGB
    steps: int = 115_000
    batch_size: int = 384
    rates: tuple = ((0, 0.1), (97_000, 0.01), (108_000, 0.001))


@_recipe
class ReleaseFlow(TrainingRecipe):
    """The release's Flow stream on Kinetics-400: 64 replicas of 6 clips.

    --recipe=release_flow --init=IMAGENET, a checkpoint inflated from ImageNet's.

    Expect (the release's figures on the test set): top-1 63.4, top-5 84.9; joint with
    `ReleaseRgb` 74.2, 91.3.
    Source: README of the release, 'Training'. The rate rises again at step 115,000.
    """

    clip: ClipRecipe = _FLOW
    steps: int = 155_000
    batch_size: int = 384
    rates: tuple = (
        (0, 0.1),
        (97_000, 0.01),
        (104_500, 0.001),
        (115_000, 0.1),
        (140_000, 0.01),
        (150_000, 0.001),
    )


@_recipe
class PaperScratch(TrainingRecipe):
    """The paper's training from nothing on Kinetics-400, for either stream.

    --recipe=paper_scratch --stream=rgb, then the same with --stream=flow.

    Expect (the release's figures on the test set): RGB 68.4, 88.0; Flow 61.5, 83.4;
    joint 71.6, 90.0.
    Source: paper, section 2.5: 110,000 steps, a tenth of the rate when the validation
    loss stops falling; how long it was waited for is not said.
    """

    clip: ClipRecipe = _RGB
    steps: int = 110_000
    batch_size: int = 384
    rates: tuple = ((0, 0.1),)
    plateau: int = 5


@_recipe
class FinetuneFull(TrainingRecipe):
    """All of a released stream trained further on your own classes, on one device.

    --recipe=finetune_full --stream=rgb, then the same with --stream=flow.

    Expect on UCF101 and HMDB51, split 1, joint, what `Ucf101` and `Hmdb51` say; these
    are the steps and the batch of one GPU, and have not been measured there.
    Source: paper, section 4, 'Full-FT'.
    """

    clip: ClipRecipe = _RGB
    steps: int = 4_000
    batch_size: int = 12
    rates: tuple = ((0, 0.003), (3_000, 0.0003))
    init: str = "released"


@_recipe
class FinetuneFixed(FinetuneFull):
    """A classifier trained on a released stream's features, the fastest for few clips.

    --recipe=finetune_fixed --stream=rgb, then the same with --stream=flow.

    Nothing below the classifier changes, and batch norm takes its moving averages.
    Expect (the paper's, split 1, joint): UCF101 97.7, HMDB51 79.7.
    Source: paper, section 4, 'Fixed'.
    """

    steps: int = 2_000
    batch_size: int = 24
    rates: tuple = ((0, 0.03), (1_500, 0.003))
    freeze_until: str | None = "Mixed_5c"


@_recipe
class Ucf101(FinetuneFull):
    """The paper's fine-tuning on UCF101: 16 replicas of 6 clips.

    --recipe=ucf101 --dataset=ucf101 --annotations=ucfTrainTestlist --videos=UCF-101
    --val_split=test

    Expect (the paper's, split 1, joint): 98.0; 97.6 from weights without ImageNet.
    Source: paper, section 2.5: up to 5,000 steps on 16 GPUs, a tenth of the rate when
    the validation loss stops falling. The first rate is not said.
    """

    steps: int = 5_000
    batch_size: int = 96
    rates: tuple = ((0, 0.01),)
    plateau: int = 3


@_recipe
class Hmdb51(Ucf101):
    """The paper's fine-tuning on HMDB51: 16 replicas of 6 clips.

    --recipe=hmdb51 --dataset=hmdb51 --annotations=testTrainMulti_7030_splits
    --videos=hmdb51 --val_split=test

    Expect (the paper's, split 1, joint): 81.2; 81.3 from weights without ImageNet.
    Source: as `Ucf101`.
    """


@_recipe
class DemoRgb(TrainingRecipe):
    """The demonstration's RGB stream, from nothing on drawn clips, on a laptop.

    --recipe=demo_rgb --width=0.125 --dataset=folder --videos=DEMO, where
    `i3d demo make DEMO` was run; `make demo-weights` does
    all.

    Expect on the 400 validation clips what README, 'The demonstration', says.
    Clips of 13 to 16 frames give two steps of features each: whole clips are then like
    those that were trained on.
    """

    clip: ClipRecipe = ClipRecipe("rgb", num_frames=14)
    steps: int = 800
    batch_size: int = 8
    # The first steps are small, while batch norm settles.
    rates: tuple = ((0, 0.01), (100, 0.05), (500, 0.01), (700, 0.001))
    dropout_rate: float = 0.0
    batch_norm_momentum: float = 0.9


@_recipe
class DemoFlow(DemoRgb):
    """The demonstration's Flow stream, from nothing on records of drawn clips.

    --recipe=demo_flow --width=0.125 --records=RECORDS, which `prepare` made of DEMO.

    Expect on the 400 validation clips what README, 'The demonstration', says.
    """

    clip: ClipRecipe = ClipRecipe("flow", num_frames=13)


RECIPES: Mapping[str, TrainingRecipe] = MappingProxyType(
    {
        "release_rgb": ReleaseRgb(),
        "release_flow": ReleaseFlow(),
        "paper_scratch": PaperScratch(),
        "finetune_full": FinetuneFull(),
        "finetune_fixed": FinetuneFixed(),
        "ucf101": Ucf101(),
        "hmdb51": Hmdb51(),
        "demo_rgb": DemoRgb(),
        "demo_flow": DemoFlow(),
    }
)
