r"""Times dense logits: of a whole clip, of a stream, and by sliding windows.

  python benchmarks/dense.py
  python benchmarks/dense.py --width=0.125 --repeats=3

Each row, for a second of RGB video (25 frames, one row of scores for 8): median
seconds, and processor seconds, of all threads and as a ratio to the first row, which
other programs disturb less; and how long after the middle of its 8 frames a row comes
when the work takes no time. Runs take turns, so that a machine whose speed drifts is
fair to all.
"""

import time

import numpy as np
from absl import app, flags
from tqdm import tqdm

from kinetics_i3d_tf2 import DenseStream, InceptionI3d, fold_batch_norm, freeze
from kinetics_i3d_tf2.models.architecture import TIME_STRIDE
from kinetics_i3d_tf2.video.reader import FRAME_RATE

WIDTH = flags.DEFINE_float("width", 1.0, "Factor on filters.")
DTYPE = flags.DEFINE_enum("dtype", "float32", ["float32", "bfloat16"], "Arithmetic.")
REPEATS = flags.DEFINE_integer("repeats", 7, "Timed runs of each variant.", 1)

_WINDOW = 64  # Frames that the released models were trained on.
_AHEAD = 56  # Frames after the middle of a place that its logits need.


def main(_):
    """Prints the table."""
    model = InceptionI3d(width=WIDTH.value)
    dense = model.endpoint_model(["Logits"], temporal="dense")
    whole = freeze(fold_batch_norm(dense, dtype=DTYPE.value))
    clip = np.random.default_rng(0).uniform(-1, 1, (_WINDOW, 224, 224, 3))
    clip = clip.astype(np.float32)
    runs = {"whole clips of 64 frames": (lambda: whole(clip[None]), _WINDOW, None)}
    for part in (8, 16, 32):
        stream = DenseStream(model, dtype=DTYPE.value, part=part)
        run = _runner(stream, clip[:part])
        runs[f"stream, {part} frames at once"] = run, part, _AHEAD + part - TIME_STRIDE
    # A window's work for every row.
    windows = "windows of 64 frames, one every 8"
    runs[windows] = (runs["whole clips of 64 frames"][0], TIME_STRIDE, _WINDOW // 2)
    times = {name: [] for name in runs}
    for repeat in tqdm(range(REPEATS.value + 2), leave=False):
        for name, (run, frames, _) in runs.items():
            start = time.perf_counter(), time.process_time()
            run()
            end = time.perf_counter(), time.process_time()
            if repeat > 1:  # The first run traces, the second still allocates.
                spent = np.subtract(end, start) / frames * FRAME_RATE
                times[name].append(spent)
    print(f"{'':33} seconds processor ratio  delay")
    first = np.median(times["whole clips of 64 frames"], axis=0)[1]
    for name, (_, _, ahead) in runs.items():
        seconds, processor = np.median(times[name], axis=0)
        delay = "" if ahead is None else f"{ahead} frames, {ahead / FRAME_RATE:.2f} s"
        print(
            f"{name:33} {seconds:7.2f} {processor:9.2f} {processor / first:5.2f}  "
            f"{delay}".rstrip()
        )


def _runner(stream, frames):
    return lambda: stream.add(frames)


if __name__ == "__main__":
    app.run(main)
