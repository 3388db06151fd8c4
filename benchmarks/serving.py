r"""Measures exported models as a server runs them.

  python benchmarks/serving.py --part=start,same,speed,load   # three minutes
  python benchmarks/serving.py --part=memory                  # optical flow takes time
  python benchmarks/serving.py --checkpoint_dir=checkpoints

Weights are those of the golden figures, in full size, unless --checkpoint_dir names a
folder laid out as the release's. What is compared is run in turns.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from absl import app, flags
from made_videos import scene
from memory import forget_peak, peak_mib, resident_mib
from tqdm import tqdm

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

ALL_PARTS = ["start", "same", "speed", "load", "memory"]
PARTS = flags.DEFINE_list("part", ALL_PARTS, "Parts.")
flags.register_validator(
    PARTS,
    lambda parts: set(parts) <= set(ALL_PARTS),
    message=f"parts are {', '.join(ALL_PARTS)}, joined by commas",
)
CHECKPOINTS = flags.DEFINE_string("checkpoint_dir", None, "The release's checkpoints.")
DTYPE = flags.DEFINE_enum("dtype", "float32", ["float32", "bfloat16"], "Arithmetic.")
REPEATS = flags.DEFINE_integer("repeats", 9, "Timed runs of each.", 1)
REQUESTS = flags.DEFINE_integer("requests", 200, "Requests of the part load.", 1)
THREADS = flags.DEFINE_integer("threads", 8, "Threads that send them.", 1)
FRAMES = flags.DEFINE_multi_integer("frames", [16, 79], "Lengths of the clips.", 9)
ALONE = flags.DEFINE_string("alone", None, "Only load this model and ask it once.")

CHANNELS = {"rgb": 3, "flow": 2}
SCOPES = {"rgb": "RGB", "flow": "Flow"}


def main(_):
    """Prints the figures of the parts."""
    if ALONE.value:
        ask_alone(ALONE.value, FRAMES.value[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        checkpoints = CHECKPOINTS.value or write_checkpoints(folder / "checkpoints")
        paths = {name: export(name, checkpoints, folder) for name in ("rgb", "joint")}
        parts = {
            "start": measure_start,
            "same": measure_difference,
            "speed": measure_speed,
            "load": measure_load,
            "memory": measure_memory,
        }
        for part in PARTS.value:
            parts[part](paths, Path(checkpoints))


def measure_start(paths, _):
    """From a SavedModel to its first answer, in processes that have just begun."""
    runs = [alone(paths["rgb"], FRAMES.value[0]) for _ in range(REPEATS.value)]
    load, first, *_ = np.median(runs, axis=0)
    print(
        f"\nrgb, {FRAMES.value[0]} frames: loaded in {load:.2f} s, first answer "
        f"{first:.2f} s later"
    )


def measure_difference(paths, checkpoints):
    """Exported logits against the Keras model's and those of the release's own code."""
    exported = signature(paths["joint"], "logits")
    models = {stream: load_model(checkpoints, stream) for stream in CHANNELS}
    print()
    for batch in (1, 3):
        for frames in FRAMES.value:
            clips = {stream: clip_of(stream, frames, batch) for stream in CHANNELS}
            expected = sum(models[s](clips[s]).numpy() for s in CHANNELS)
            difference = np.abs(exported(**clips)["logits"].numpy() - expected).max()
            print(
                f"joint, batch of {batch}, {frames} frames: largest difference from "
                f"Keras's logits {difference:.2g}, which spread by {expected.std():.2g}"
            )
    if not CHECKPOINTS.value:
        compare_with_goldens(exported)


def compare_with_goldens(exported):
    """Exported joint logits against tests/golden, for the lengths that are there."""
    import recipe

    for frames in sorted({16, 79} & set(FRAMES.value)):
        paths = [TESTS / "golden" / f"eval_{s}_{frames}.npz" for s in CHANNELS]
        expected = sum(np.load(path)["logits"] for path in paths)
        clips = {s: recipe.clip(frames, channels) for s, channels in CHANNELS.items()}
        difference = np.abs(exported(**clips)["logits"].numpy() - expected).max()
        print(
            f"joint, {frames} frames: largest difference from the golden logits "
            f"{difference:.2g}, which spread by {expected.std():.2g}"
        )


def measure_speed(paths, checkpoints):
    """The exported graph against Keras's, plain and folded and frozen."""
    import tensorflow as tf

    from kinetics_i3d_tf2 import fold_batch_norm, freeze

    model = load_model(checkpoints, "rgb")
    logits = signature(paths["rgb"], "logits")
    variants = {
        "InceptionI3d float32": tf.function(lambda clip: model(clip, training=False)),
        f"folded frozen {DTYPE.value}": freeze(
            fold_batch_norm(model, dtype=DTYPE.value)
        ),
        f"exported {DTYPE.value}": lambda clip: logits(rgb=clip)["logits"],
    }
    for frames in FRAMES.value:
        clip = tf.constant(clip_of("rgb", frames))
        times = {name: [] for name in variants}
        for run in tqdm(range(-2, REPEATS.value), f"{frames} frames", leave=False):
            for name, forward in variants.items():
                start = time.perf_counter()
                np.asarray(forward(clip))
                if run >= 0:  # The first traces, the second still allocates.
                    times[name].append(time.perf_counter() - start)
        middle = {name: statistics.median(values) for name, values in times.items()}
        exported = list(middle.values())[-1]
        print(f"\n{frames} frames{'seconds':>27}  exported, of this")
        for name, seconds in middle.items():
            print(f"{name:26}{seconds:9.3f}{exported / seconds:19.2f}")


def measure_load(paths, _):
    """Requests from many threads at once: right, fast, and without a leak."""
    answer = signature(paths["rgb"], "serving_default")
    clips = [scene(FRAMES.value[0], seed)[None] for seed in range(THREADS.value)]
    alone = [ask(answer, clip) for clip in clips]
    memory, differences = {}, []

    def send(number):
        which = number % len(clips)
        received = ask(answer, clips[which])
        same = (received["labels"] == alone[which]["labels"]).all()
        return same, np.abs(received["logits"] - alone[which]["logits"]).max()

    forget_peak()  # Loading has its own.
    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS.value) as pool:
        for number, difference in enumerate(pool.map(send, range(REQUESTS.value)), 1):
            differences.append(difference)
            if number % (REQUESTS.value // 4 or 1) == 0:
                memory[number] = resident_mib()
    rate = REQUESTS.value / (time.perf_counter() - start)
    same, largest = zip(*differences, strict=True)
    shown = ", ".join(f"{mib:.0f} at {number}" for number, mib in memory.items())
    print(
        f"\n{REQUESTS.value} requests of {FRAMES.value[0]} frames from "
        f"{THREADS.value} threads: {rate:.2f} requests/s; {sum(same)} with the labels "
        f"of single requests, logits differ by at most {max(largest):.2g}\n"
        f"resident memory in MiB after requests: {shown}; at the "
        f"peak {peak_mib():.0f}"
    )


def measure_memory(paths, _):
    """Peak memory of a process that answers one request."""
    print()
    for name, path in paths.items():
        for frames in FRAMES.value:
            _, seconds, loaded, peak = alone(path, frames)
            print(
                f"{name}, one request of {frames} frames of 340x256: "
                f"{peak - loaded:.0f} MiB at the peak, above {loaded:.0f} MiB of the "
                f"process with the loaded model; {seconds:.1f} s"
            )


def alone(path, frames):
    """What `ask_alone` prints in a process of its own."""
    command = [sys.executable, __file__, f"--alone={path}", f"--frames={frames}"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return [float(value) for value in done.stdout.split()]


def ask_alone(path, frames):
    """Prints seconds of loading and of an answer, MiB loaded and at the peak."""
    import tensorflow  # noqa: F401  A server has it from its start.

    clip = scene(frames, 0)[None]
    start = time.perf_counter()
    answer = signature(path, "serving_default")
    load = time.perf_counter() - start
    loaded = resident_mib()
    forget_peak()  # Loading has its own.
    start = time.perf_counter()
    ask(answer, clip)
    print(load, time.perf_counter() - start, loaded, peak_mib())


def ask(answer, clip):
    """Answer to one request, as arrays by name."""
    return {k: output.numpy() for k, output in answer(frames=clip).items()}


def signature(path, name):
    """Function of a SavedModel."""
    from kinetics_i3d_tf2.export import saved_model

    return saved_model.load(path)[name]


def export(eval_type, checkpoints, folder):
    """Runs the program; gives the folder of the version."""
    command = [sys.executable, "-m", "kinetics_i3d_tf2", "export"]
    command += [f"--eval_type={eval_type}", f"--checkpoint_dir={checkpoints}"]
    command += [f"--out={folder / eval_type}", f"--dtype={DTYPE.value}"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return folder / eval_type / "1"


def write_checkpoints(folder):
    """Checkpoints of the release's size and names."""
    import recipe

    from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint

    for stream, channels in CHANNELS.items():
        model = recipe.assign(InceptionI3d(num_channels=channels))
        path = folder / f"{stream}_imagenet" / "model.ckpt"
        save_checkpoint(model, path, scope=SCOPES[stream])
    return folder


def load_model(checkpoints, stream):
    """The Keras model of a stream."""
    import kinetics_i3d_tf2 as i3d

    return i3d.load_model(checkpoints / f"{stream}_imagenet")


def clip_of(stream, frames, batch=1):
    """Random clips in [-1, 1]."""
    shape = (batch, frames, 224, 224, CHANNELS[stream])
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


if __name__ == "__main__":
    app.run(main)
