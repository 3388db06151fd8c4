"""Makes a few small videos of two classes, to try the pipelines with.

  python examples/make_videos.py videos

A ball that falls ("fall") or rises ("rise") over a textured ground; no single frame tells
which. 12 clips of two seconds in videos/train, 6 in videos/val.
"""

import sys
from pathlib import Path

import av
import cv2
import numpy as np

SIZE = (340, 256)  # width, height
FRAMES = 50
COUNTS = {"train": 12, "val": 6}


def main():
    """Writes the videos into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rng = np.random.default_rng(0)
    for split, count in COUNTS.items():
        for number in range(count):
            name = ("fall", "rise")[number % 2]
            folder = Path(sys.argv[1], split, name)
            folder.mkdir(parents=True, exist_ok=True)
            frames = list(ball(rng))
            write(folder / f"{number}.mp4", frames if name == "fall" else frames[::-1])
    print(f"{sum(COUNTS.values())} videos in {sys.argv[1]}")


def ball(rng):
    """Yields frames of a ball that falls, at a place and in colours of its own."""
    width, height = SIZE
    noise = cv2.GaussianBlur(rng.normal(size=(height, width, 3)), (0, 0), 6)
    ground = (110 + 60 * noise / noise.std()).clip(0, 220).astype(np.uint8)
    color = [int(channel) for channel in rng.integers(0, 255, 3)]
    column, radius = int(rng.integers(80, width - 80)), int(rng.integers(25, 45))
    phase = rng.uniform(0, height)
    for index in range(FRAMES):
        row = int((phase + 8 * index) % (height + 2 * radius)) - radius
        frame = cv2.circle(ground.copy(), (column, row), radius, color, -1)
        speckle = rng.integers(-6, 7, frame.shape)
        yield (frame + speckle).clip(0, 255).astype(np.uint8)


def write(path, frames):
    """Encodes uint8 RGB frames as H.264, 25 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
