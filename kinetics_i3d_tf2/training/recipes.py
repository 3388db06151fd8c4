"""Eleven recipes, each with its command and the result to expect.

Every command starts with `i3d train` and also needs `--out=RUN` and a dataset:
`--dataset=kinetics400 --annotations=train.csv,val.csv --videos=DIR`, or
`--records=DIR` of prepared records, without which Flow is slow.

A batch size covers all devices together. On fewer devices, lower `--batch_size`, and
`--learning_rate` in proportion (Goyal et al., arXiv 1706.02677), or set
`--gradient_accumulation_steps`.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ..data.clip_recipe import ClipRecipe
from .recipe import TrainingRecipe

_RGB, _FLOW = ClipRecipe("rgb"), ClipRecipe("flow")

RELEASE_RGB = TrainingRecipe(
    clip=_RGB,
    steps=115_000,
    batch_size=384,
    rates=((0, 0.1), (97_000, 0.01), (108_000, 0.001)),
)
"""The release's RGB stream on Kinetics-400: 64 replicas of 6 clips.

`--recipe=release_rgb --init=IMAGENET`, a checkpoint of `i3d inflate`.

Expect (the release's figures, test set): top-1 71.1, top-5 89.3.
Source: README of the release, 'Training'.
"""

RELEASE_FLOW = TrainingRecipe(
    clip=_FLOW,
    steps=155_000,
    batch_size=384,
    rates=(
        (0, 0.1),
        (97_000, 0.01),
        (104_500, 0.001),
        (115_000, 0.1),
        (140_000, 0.01),
        (150_000, 0.001),
    ),
)
"""The release's Flow stream on Kinetics-400: 64 replicas of 6 clips.

`--recipe=release_flow --init=IMAGENET`, a checkpoint of `i3d inflate --stream=flow`.

Expect (the release's figures, test set): top-1 63.4, top-5 84.9; joint with
`RELEASE_RGB` 74.2, 91.3.
Source: README of the release, 'Training'. The rate rises again at step 115,000.
"""

PAPER_SCRATCH = TrainingRecipe(
    clip=_RGB,
    steps=110_000,
    batch_size=384,
    rates=((0, 0.1),),
    plateau=5,
)
"""The paper's training from random weights on Kinetics-400, for either stream.

`--recipe=paper_scratch --stream=rgb`, then the same with `--stream=flow`.

Expect (the release's figures, test set): RGB 68.4, 88.0; Flow 61.5, 83.4; joint 71.6,
90.0.
Source: paper, section 2.5: 110,000 steps, a tenth of the rate when the validation loss
stops falling. The paper does not give the patience.
"""

FINETUNE_FULL = TrainingRecipe(
    clip=_RGB,
    steps=4_000,
    batch_size=12,
    rates=((0, 0.003), (3_000, 0.0003)),
    init="released",
)
"""Fine-tunes all layers of a released stream on your classes, on one device.

`--recipe=finetune_full --stream=rgb`, then the same with `--stream=flow`.

Expect on UCF101 and HMDB51 (split 1, joint) about the results of `UCF101` and `HMDB51`;
not measured with these steps and this batch size, which are for one GPU.
Source: paper, section 4, 'Full-FT'.
"""

FINETUNE_FIXED = replace(
    FINETUNE_FULL,
    steps=2_000,
    batch_size=24,
    rates=((0, 0.03), (1_500, 0.003)),
    freeze_until="Mixed_5c",
)
"""Trains only a classifier on a released stream's features, the fastest for few clips.

`--recipe=finetune_fixed --stream=rgb`, then the same with `--stream=flow`.

Nothing below the classifier changes; batch norm uses its moving averages.
Expect (the paper's figures, split 1, joint): UCF101 97.7, HMDB51 79.7.
Source: paper, section 4, 'Fixed'.
"""

UCF101 = replace(
    FINETUNE_FULL,
    steps=5_000,
    batch_size=96,
    rates=((0, 0.01),),
    plateau=3,
)
"""The paper's fine-tuning on UCF101: 16 replicas of 6 clips.

`--recipe=ucf101 --dataset=ucf101 --annotations=ucfTrainTestlist --videos=UCF-101
--val_split=test`

Expect (the paper's figures, split 1, joint): 98.0; 97.6 from weights without ImageNet.
Source: paper, section 2.5: up to 5,000 steps on 16 GPUs, a tenth of the rate when the
validation loss stops falling. The paper does not give the initial rate.
"""

HMDB51 = UCF101
"""The paper's fine-tuning on HMDB51: 16 replicas of 6 clips.

`--recipe=hmdb51 --dataset=hmdb51 --annotations=testTrainMulti_7030_splits
--videos=hmdb51 --val_split=test`

Expect (the paper's figures, split 1, joint): 81.2; 81.3 from weights without ImageNet.
Source: as for `UCF101`.
"""

CHARADES_DENSE = TrainingRecipe(
    clip=_RGB,
    steps=2_000,
    batch_size=160,
    rates=((0, 0.1), (300, 0.01), (1_000, 0.001)),
    batch_norm_momentum=0.99,
    init="released",
    loss="sigmoid",
    temporal="dense",
)
"""Fine-tunes a released stream on Charades: several actions at once, for each frame.

`--recipe=charades_dense --gradient_accumulation_steps=4 --dataset=charades
--annotations=Charades_v1_train.csv,Charades_v1_test.csv --videos=Charades_v1
--val_split=test`, for `--stream=rgb`, then for `--stream=flow`. It suits any dataset of
intervals: `--dataset=intervals --annotations=FILE`.

A batch is 4 microbatches of 40 clips. On one GPU, lower `--batch_size`, and
`--learning_rate` in proportion. `--steps` also moves the changes of the rate.

Expect: not measured; `docs/training.md` has the results of a small data set.
Source: `train_i3d.py` of github.com/piergiaj/pytorch-i3d, whose steps go on at the last
rate, up to 64,000.
"""

DEMO_RGB = TrainingRecipe(
    # Clips of 13 to 16 frames give two time steps of features: whole clips are then
    # like those that were trained on.
    clip=replace(_RGB, num_frames=14),
    steps=800,
    batch_size=8,
    # Small at first, while batch norm settles.
    rates=((0, 0.01), (100, 0.05), (500, 0.01), (700, 0.001)),
    dropout_rate=0.0,
    batch_norm_momentum=0.9,
)
"""The demonstration's RGB stream, from random weights on drawn clips, on a laptop.

`--recipe=demo_rgb --width=0.125 --dataset=folder --videos=DEMO`, after
`i3d demo make DEMO`. `make demo-weights` runs everything.

Expect on the 400 validation clips: top-1 99.75 (docs/training.md).
"""

DEMO_FLOW = replace(DEMO_RGB, clip=replace(_FLOW, num_frames=13))
"""The demonstration's Flow stream, from random weights on records of drawn clips.

`--recipe=demo_flow --width=0.125 --records=RECORDS`, which `i3d prepare` made of DEMO.

Expect on the 400 validation clips: top-1 100.00 (docs/training.md).
"""

DEMO_DENSE = TrainingRecipe(
    clip=replace(_RGB, num_frames=32),
    steps=2_000,
    batch_size=6,
    # The mean over classes divides gradients by 8: rates are higher than those above.
    rates=((0, 0.05), (50, 0.5), (1_400, 0.1), (1_800, 0.02)),
    dropout_rate=0.0,
    batch_norm_momentum=0.9,
    # Edges of drawn things are as in short clips, and a third of the time is saved.
    freeze_until="Conv3d_2b_1x1",
    loss="sigmoid",
    temporal="dense",
)
"""The demonstration's RGB stream on long drawn videos: who does what, and when.

`--recipe=demo_dense --init=checkpoints/demo_rgb --dataset=intervals
--annotations=MINUTES/labels.csv`, after `i3d demo make --long MINUTES`. `make
demo-weights` runs everything.

Expect on the 40 test videos: mean average precision of 96.55 over moments
(docs/several_labels.md).
"""

RECIPES: Mapping[str, TrainingRecipe] = MappingProxyType(
    {
        "release_rgb": RELEASE_RGB,
        "release_flow": RELEASE_FLOW,
        "paper_scratch": PAPER_SCRATCH,
        "finetune_full": FINETUNE_FULL,
        "finetune_fixed": FINETUNE_FIXED,
        "ucf101": UCF101,
        "hmdb51": HMDB51,
        "charades_dense": CHARADES_DENSE,
        "demo_rgb": DEMO_RGB,
        "demo_flow": DEMO_FLOW,
        "demo_dense": DEMO_DENSE,
    }
)
"""The recipes by the name that `--recipe` takes."""
