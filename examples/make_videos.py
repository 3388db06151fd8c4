"""Makes a few small videos of two classes, to try the pipelines with.

  python examples/make_videos.py videos

A disc ("disc") or a square ("square") that moves over a textured ground: 12 videos of
two seconds in videos/train, 6 in videos/val.
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
            name = ("disc", "square")[number % 2]
            folder = Path(sys.argv[1], split, name)
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / f"{number}.mp4", scene(name, rng))
    print(f"{sum(COUNTS.values())} videos in {sys.argv[1]}")


def scene(name, rng):
    """Yields frames of one moving thing, with places and colours of its own."""
    width, height = SIZE
    noise = cv2.GaussianBlur(rng.normal(size=(height, width, 3)), (0, 0), 6)
    ground = (110 + 60 * noise / noise.std()).clip(0, 220).astype(np.uint8)
    color = [int(channel) for channel in rng.integers(0, 255, 3)]
    size = int(rng.integers(30, 50))
    place = rng.uniform([60, 60], [width - 60, height - 60])
    speed = rng.uniform(-4, 4, 2)
    for _ in range(FRAMES):
        x, y = (int(value) for value in place)
        frame = ground.copy()
        if name == "disc":
            cv2.circle(frame, (x, y), size, color, -1)
        else:
            cv2.rectangle(frame, (x - size, y - size), (x + size, y + size), color, -1)
        speckle = rng.integers(-6, 7, frame.shape)
        yield (frame + speckle).clip(0, 255).astype(np.uint8)
        place += speed
        speed *= np.where((place < 40) | (place > np.subtract(SIZE, 40)), -1, 1)


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
