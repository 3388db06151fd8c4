r"""Times evaluate_sample.py on two .npy files, and what it cannot do without.

  python benchmarks/evaluate_sample.py

The checkpoints hold the weights of the golden figures, written to a temporary folder.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

FRAMES = flags.DEFINE_integer("frames", 79, "Frames of the clips.", 9)
REPEATS = flags.DEFINE_integer("repeats", 5, "Runs of the whole program.", 1)
CHANNELS = {"rgb": 3, "flow": 2}


def main(_):
    """Prints the parts and the whole."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_inputs(folder)
        samples = [f"--{stream}_sample={folder / stream}.npy" for stream in CHANNELS]
        whole = run_times("evaluate_sample.py", f"--checkpoint_dir={folder}", *samples)
        imports = run_times("-c", "import tensorflow, keras")
        model = forward_time(folder)
    print(f"import of TensorFlow and Keras {imports:.2f} s")
    print(f"forward passes of both streams, {FRAMES.value} frames {model:.2f} s")
    print(f"evaluate_sample.py {whole:.2f} s, {whole - imports - model:.2f} s more")


def write_inputs(folder):
    """Checkpoints and clips of both streams."""
    import recipe

    from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint

    for stream, channels in CHANNELS.items():
        model = recipe.assign(InceptionI3d(num_channels=channels))
        save_checkpoint(model, folder / f"{stream}_imagenet" / "model.ckpt")
        np.save(folder / f"{stream}.npy", recipe.clip(FRAMES.value, channels))


def run_times(*arguments):
    """Median seconds of a Python process."""
    times = []
    for _ in range(REPEATS.value):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True,
                       capture_output=True)  # fmt: skip
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def forward_time(folder):
    """Median seconds of the two forward passes, warm."""
    from kinetics_i3d_tf2 import InceptionI3d

    total = 0
    for stream, channels in CHANNELS.items():
        model = InceptionI3d(num_channels=channels)
        clip = np.load(folder / f"{stream}.npy")
        times = []
        for _ in range(REPEATS.value + 1):
            start = time.perf_counter()
            np.asarray(model(clip))
            times.append(time.perf_counter() - start)
        total += statistics.median(times[1:])
    return total


if __name__ == "__main__":
    app.run(main)
