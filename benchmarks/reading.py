"""How well damage of videos is found, and the memory that reading takes.

python benchmarks/reading.py

Cuts an AVI with audio, whose header FFmpeg scales to the bytes that are there, at
random places; and reads 500 frames of 1080p.
"""

import random
import sys
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags
from memory import forget_peak, peak_mib, resident_mib

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from videos import write_video

from kinetics_i3d_tf2 import iter_video, read_video

CUTS = flags.DEFINE_integer("cuts", 30, "Random cuts of an AVI.", 1)
FRAMES = flags.DEFINE_integer("frames", 500, "Frames of 1080p to read.", 50)


def main(_):
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.avi"
        noise = np.random.default_rng(0).integers(0, 255, (100, 64, 80, 3), np.uint8)
        write_video(path, noise, codec="mpeg4", silence=True)
        content = path.read_bytes()
        found = sum(is_found(path, content, seed) for seed in range(CUTS.value))
        print(f"{CUTS.value} random cuts of an AVI with audio: {found} found")
        path = Path(folder) / "clip.mp4"
        write_large(path, FRAMES.value)
        print_memory(path, FRAMES.value)


def is_found(path, content, seed):
    """Whether a cut at a random byte is an error, or is reported."""
    place = random.Random(seed).uniform(0.05, 0.999)
    path.write_bytes(content[: int(len(content) * place)])
    damages = []
    try:
        read_video(path, max_damaged_frames=1, on_damage=damages.append)
    except ValueError:
        return True
    return any("is truncated" in str(damage) for damage in damages)


def write_large(path, count):
    """Writes frames of 1080p, which are broadcast, not held."""
    frames = np.broadcast_to(np.uint8(100), (count, 1080, 1920, 3))
    write_video(path, frames, options={"preset": "ultrafast"})


def print_memory(path, count):
    """The peak while frames are read, over the size of the result."""
    for _ in iter_video(path, max_frames=50):
        pass  # The decoder takes its own memory.
    forget_peak()
    before = resident_mib()
    frames = read_video(path, max_frames=count)
    taken, size = peak_mib() - before, frames.nbytes / 2**20
    print(
        f"read_video(max_frames={count}) of 1080p: {size:.0f} MiB, at its peak "
        f"{taken:.0f} MiB more than before, {taken / size:.3f} times the result"
    )


if __name__ == "__main__":
    app.run(main)
