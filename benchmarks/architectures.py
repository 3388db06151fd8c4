r"""Compares the paper's five architectures: what they cost, and what they learn.

  python benchmarks/architectures.py --part=cost
  python benchmarks/architectures.py --part=comparison --out=build/architectures

The cost: parameters and multiply-adds at full width, for one clip of training in the
paper's size. The comparison: every architecture, narrow, is trained from nothing on the
demonstration's clips for the same number of steps of the same number of clips, by the
training program with one recipe, and evaluated by the evaluation program; the table is
the paper's (table 2) for these clips. The classes of the demonstration are pairs that
differ in the direction of time alone: what sees single frames cannot tell the two of a
pair apart, so besides top-1 there is the share of clips put into the right pair.

The demonstration's clips are 14 to 16 frames, an eighth of what the paper's models see:
the architectures that sample seconds sample as many times faster here. Stopped or
killed, the same command goes on where it was. The picture is --out/architectures.png.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from absl import app, flags
from arithmetic import graph_multiply_adds

PART = flags.DEFINE_enum("part", "comparison", ["cost", "comparison"], "What to do.")
OUT = flags.DEFINE_string("out", "build/architectures", "Folder of clips and runs.")
TRAIN = flags.DEFINE_integer("train", 320, "Clips to train on; multiples of 8.", 8)
VAL = flags.DEFINE_integer("val", 160, "Clips to evaluate on, which nothing saw.", 8)
STEPS = flags.DEFINE_integer("steps", 800, "Steps of each training.", 1)
BATCH_SIZE = flags.DEFINE_integer("batch_size", 8, "Clips a step.", 1)
WIDTH = flags.DEFINE_float("width", 0.125, "Factor on all filters.", 0)
SEED = flags.DEFINE_integer("seed", 0, "Of all trainings.", 0)

TITLES = {
    "convnet_lstm": "(a) ConvNet+LSTM",
    "c3d": "(b) 3D-ConvNet",
    "two_stream": "(c) Two-Stream",
    "fused": "(d) 3D-Fused",
    "i3d": "(e) Two-Stream I3D",
}


class Training(NamedTuple):
    """A model that is trained: of an architecture, on a stream."""

    kind: str
    stream: str
    num_frames: int
    rgb_stride: int | None = None

    @property
    def sampling(self) -> list[str]:
        """Flags of the clips that the demonstration has for it."""
        stride = [f"--rgb_stride={self.rgb_stride}"] if self.rgb_stride else []
        return [f"--num_frames={self.num_frames}", *stride]


# In the table's order. Of the paper's 5 seconds, 2 seconds and so on, as much as there
# is; I3D's clips are those of the demonstration's own recipes. The one frame of the RGB
# stream alone is from anywhere in the clip: out of a window of ten frames it would be
# one of the first, which tells a door that opens from one that closes.
TRAININGS = (
    Training("convnet_lstm", "rgb", 14, 2),
    Training("c3d", "rgb", 16),
    Training("two_stream", "rgb", 1, 1),
    Training("two_stream", "flow", 10, 10),
    Training("two_stream", "joint", 10, 10),
    Training("fused", "joint", 10, 2),
    Training("i3d", "rgb", 14),
    Training("i3d", "flow", 13),
)


def main(_):
    """Prints the tables."""
    if PART.value == "cost":
        print_cost()
        return
    out = Path(OUT.value)
    records = make_records(out)
    for training in TRAININGS:
        train(training, records, out)
    results = evaluate_all(records, out)
    (out / "architectures.json").write_text(json.dumps(results, indent=1) + "\n")
    print_table(results)
    draw(results, out / "architectures.png")


def print_cost():
    """Parameters and multiply-adds at full width, with 400 classes."""
    from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
    from kinetics_i3d_tf2.training.build import new_model

    print(f"{'':20}{'parameters':>12}{'multiply-adds':>15}  input of a training clip")
    for kind, title in TITLES.items():
        clips = ClipRecipe.of_model(kind)
        streams = ["rgb", "flow"] if kind == "i3d" else [clips.stream]
        parameters, cost, inputs = 0, 0, []
        for stream in streams:
            recipe = clips.__class__(**{**vars(clips), "stream": stream})
            model = new_model(kind, 400, recipe)
            parameters += model.count_params()
            shapes = {
                name: (recipe.length(name), recipe.crop_size, recipe.crop_size)
                for name in recipe.streams
            }
            cost += graph_multiply_adds(model, shapes)
            inputs += [f"{shape[0]} {name}" for name, shape in shapes.items()]
        print(
            f"{title:20}{parameters / 1e6:10.1f} M{cost / 1e9:13.1f} G  "
            f"{' + '.join(inputs)}, {recipe.crop_size} pixels, "
            f"{recipe.num_frames / 25:.2f} s"
        )


def make_records(out):
    """Draws the clips, and computes their flow."""
    run("demo", "make", out / "clips", f"--train={TRAIN.value}", f"--val={VAL.value}")
    run(
        "prepare", "--dataset=folder", f"--videos={out / 'clips'}",
        "--flow_epsilon=0.05", f"--out={out / 'records'}",
    )  # fmt: skip
    return out / "records"


def train(training, records, out):
    """Trains a model from nothing, by the recipe of the demonstration."""
    print(f"Training {training.kind}, {training.stream}", flush=True)
    run(
        "training", f"--model={training.kind}", f"--stream={training.stream}",
        *training.sampling, "--recipe=demo_rgb", f"--records={records}",
        f"--width={WIDTH.value}", f"--steps={STEPS.value}", f"--seed={SEED.value}",
        f"--batch_size={BATCH_SIZE.value}", "--val_split=none",
        f"--checkpoint_every={max(1, STEPS.value // 2)}",
        f"--out={folder_of(training, out)}",
    )  # fmt: skip


def evaluate_all(records, out):
    """Figures by architecture: top-1 of each stream, pairs, speed, parameters."""
    results = {}
    for kind in TITLES:
        trainings = [training for training in TRAININGS if training.kind == kind]
        found = results[kind] = {"top_1": {}, "pair": {}, "clips_per_second": {}}
        found["parameters"] = 0
        alone = [[training] for training in trainings]
        for group in [*alone, trainings] if kind == "i3d" else alone:
            stream = "joint" if len(group) > 1 else group[0].stream
            rows = evaluate(kind, stream, group, records, out)
            hits = [row[f"{stream}_class"] == row["label"] for row in rows]
            pairs = [pair(row[f"{stream}_class"]) == pair(row["label"]) for row in rows]
            found["top_1"][stream] = sum(hits) / len(rows)
            found["pair"][stream] = sum(pairs) / len(rows)
            if len(group) == 1:
                log = csv.DictReader((folder_of(group[0], out) / "log.csv").open())
                speed = float([*log][-1]["clips_per_second"])
                found["clips_per_second"][stream] = speed
        found["parameters"] = parameters_of(kind, trainings, out)
    return results


def evaluate(kind, stream, trainings, records, out):
    """Rows of predictions of one model, or of the sum of two."""
    folder = out / "evaluations" / f"{kind}_{stream}"
    first = trainings[0]
    sampling = [] if kind == "i3d" else first.sampling
    run(
        "evaluation", f"--model={kind}", f"--eval_type={stream}", *sampling,
        f"--records={records}", f"--out={folder}",
        *(f"--{t.stream}_checkpoint={folder_of(t, out) / 'last'}" for t in trainings),
    )  # fmt: skip
    with open(folder / "predictions.csv", newline="") as file:
        return list(csv.DictReader(file))


def parameters_of(kind, trainings, out):
    """Parameters of the model of both streams, or of the one there is."""
    from kinetics_i3d_tf2 import load_model

    whole = trainings if kind == "i3d" else trainings[-1:]
    models = [load_model(folder_of(training, out) / "last") for training in whole]
    return sum(model.count_params() for model in models)


def pair(name):
    """The scene of a class, without the direction of time."""
    from kinetics_i3d_tf2.demo import scenes

    names = [action.name for action in scenes.ACTIONS]
    return names.index(name) // 2


def folder_of(training, out):
    """Folder of a training run."""
    return out / f"{training.kind}_{training.stream}"


def run(program, *arguments):
    """Runs a program of this package; raises when it fails."""
    command = [sys.executable, "-m", f"kinetics_i3d_tf2.{program}"]
    subprocess.run([*command, *map(str, arguments)], check=True)


def print_table(results):
    """The paper's table 2, for these clips."""
    columns = ("rgb", "flow", "joint")
    print(f"{'top-1 (pair), %':20}{'RGB':>14}{'flow':>14}{'joint':>14}", end="")
    print(f"{'parameters':>12}  clips/s in training")
    for kind, found in results.items():
        cells = (
            f"{100 * found['top_1'][s]:.1f} ({100 * found['pair'][s]:.1f})"
            if s in found["top_1"]
            else "-"
            for s in columns
        )
        speeds = (f"{s} {x:.1f}" for s, x in found["clips_per_second"].items())
        print(
            f"{TITLES[kind]:20}{''.join(f'{cell:>14}' for cell in cells)}"
            f"{found['parameters'] / 1e6:10.3f} M  {', '.join(speeds)}"
        )


def draw(results, path):
    """Draws the table as bars."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(9, 4.5), dpi=150, layout="constrained")
    axes = figure.add_subplot(ylabel="top-1, %", ylim=(0, 118))
    colors = {"rgb": "tab:blue", "flow": "tab:orange", "joint": "tab:green"}
    for number, found in enumerate(results.values()):
        shown = [stream for stream in colors if stream in found["top_1"]]
        for place, stream in enumerate(shown):
            x = number + 0.26 * (place - (len(shown) - 1) / 2)
            height = 100 * found["top_1"][stream]
            axes.bar(x, height, 0.24, color=colors[stream])
            axes.text(x, height + 1, f"{height:.0f}", ha="center", fontsize=8)
    axes.axhline(50, color="grey", linestyle=":")
    axes.text(
        0.5, 51, "all that one frame tells", ha="center", fontsize=8, color="grey"
    )
    axes.set_xticks(range(len(results)), [TITLES[kind] for kind in results])
    handles = [Patch(color=color, label=stream) for stream, color in colors.items()]
    axes.legend(handles=handles, ncols=3, loc="upper left")
    figure.savefig(path)
    print(f"Drawn: {path}")


if __name__ == "__main__":
    app.run(main)
