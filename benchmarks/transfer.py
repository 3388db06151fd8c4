r"""Shows what Kinetics is worth for a small dataset: the paper's point, in small.

  python benchmarks/transfer.py
  python benchmarks/transfer.py --steps=500 --train=320

Trains the RGB stream at full width on the demonstration's clips, three times with the
same clips, steps and recipe: from the released `rgb_scratch` with everything below the
classifier frozen ("Fixed"), from the same weights with all layers trained ("Full-FT"),
and from random weights. Prints top-1 on held-out clips at every checkpoint, and writes
the curves to OUT/transfer.json and OUT/transfer.png. The learning rate alone depends on
what is trained: it falls to a tenth in the last quarter of the steps.

The classes are pairs that differ in the direction of time alone, so top-1 of a model
that only tells the pairs apart is 50 %, and chance is 12.5 %.

Takes about 10 minutes on two cores; stopped or killed, the same command resumes.
--training runs a single one, for several machines or processes with one OUT.
Source: paper, section 4: 'Fixed' and 'Full-FT' against 'Original' training.
"""

import dataclasses
import json
from pathlib import Path

from absl import app, flags

OUT = flags.DEFINE_string("out", "build/transfer", "Folder of clips and runs.")
TRAIN = flags.DEFINE_integer("train", 160, "Clips to train on; a multiple of 8.", 8)
VAL = flags.DEFINE_integer("val", 40, "Held-out clips; a multiple of 8.", 8)
STEPS = flags.DEFINE_integer("steps", 48, "Steps of each training.", 4)
BATCH_SIZE = flags.DEFINE_integer("batch_size", 4, "Clips a step.", 1)
SEED = flags.DEFINE_integer("seed", 0, "Seed of all trainings.", 0)

TRAINING = flags.DEFINE_enum(
    "training", None, ["fixed", "full_ft", "random_weights"], "Only run this one."
)

_NUM_FRAMES = 16
_CHECKPOINTS = 4  # of each training


def main(_):
    """Trains the three models and prints the table."""
    import kinetics_i3d_tf2 as i3d
    from kinetics_i3d_tf2.demo.dataset import make_demo_dataset

    out = Path(OUT.value)
    make_demo_dataset(out / "clips", train=TRAIN.value, val=VAL.value)
    clips = i3d.read_folder(out / "clips")
    data = i3d.TrainingData(clips.split("train"), clips.split("val"), clips.class_names)
    options = i3d.TrainingOptions(
        checkpoint_every=max(1, STEPS.value // _CHECKPOINTS), seed=SEED.value
    )
    curves = {}
    for name, recipe in recipes().items():
        if TRAINING.value not in (None, file_name(name)):
            continue
        print(f"Training: {name}", flush=True)
        state = i3d.train(recipe, data, out / file_name(name), options=options)
        curves[name] = [
            {key: row[key] for key in ("step", "loss", "val_loss", "val_top1")}
            for row in state.history
        ]
        if TRAINING.value is not None:
            return
        # Written after each training, so that an interrupted benchmark shows it.
        (out / "transfer.json").write_text(json.dumps(curves, indent=1) + "\n")
    print_table(curves)
    draw(curves, out / "transfer.png")


def recipes():
    """The three trainings, by name."""
    import kinetics_i3d_tf2 as i3d
    from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe

    steps = STEPS.value
    full = dataclasses.replace(
        i3d.RECIPES["finetune_full"],
        clip=ClipRecipe("rgb", num_frames=_NUM_FRAMES),
        steps=steps,
        batch_size=BATCH_SIZE.value,
        rates=((0, 0.02), (3 * steps // 4, 0.002)),
        # For few steps: moving averages that follow, and no noise in the features.
        batch_norm_momentum=0.9,
        dropout_rate=0.0,
        init=str(i3d.fetch("rgb_scratch")),
    )
    fixed = dataclasses.replace(
        full,
        rates=((0, 0.03), (3 * steps // 4, 0.003)),
        freeze_until="Mixed_5c",
    )
    # The rates of the recipe demo_rgb: small until batch norm settles.
    nothing = dataclasses.replace(
        full,
        rates=((0, 0.01), (steps // 8, 0.05), (3 * steps // 4, 0.005)),
        init="none",
    )
    return {"Fixed": fixed, "Full-FT": full, "random weights": nothing}


def file_name(name):
    """Folder of a training."""
    return name.lower().replace(" ", "_").replace("-", "_")


def print_table(curves):
    """Prints top-1 by training and step, in percent."""
    print(
        f"{TRAIN.value} clips to train on, {VAL.value} held out, 8 classes; "
        f"{STEPS.value} steps of {BATCH_SIZE.value} clips of {_NUM_FRAMES} frames"
    )
    steps = [row["step"] for row in next(iter(curves.values()))]
    print(f"{'top-1 at step':16}" + "".join(f"{step:>8}" for step in steps))
    for name, rows in curves.items():
        cells = (f"{100 * row['val_top1']:8.1f}" for row in rows)
        print(f"{name:16}" + "".join(cells))


def draw(curves, path):
    """Draws top-1 over the steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=150, layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="top-1, %", ylim=(0, 100))
    for name, rows in curves.items():
        steps = [row["step"] for row in rows]
        axes.plot(steps, [100 * row["val_top1"] for row in rows], "o-", label=name)
    axes.axhline(12.5, color="grey", linestyle=":", label="chance")
    axes.legend()
    figure.savefig(path)
    print(f"Curves: {path}")


if __name__ == "__main__":
    app.run(main)
