"""Videos to measure with."""

import shutil

import av
import cv2
import numpy as np
from tqdm import tqdm


def make_videos(folder, count):
    """Ten-second videos of a scene under a moving camera."""
    paths = []
    for number in tqdm(range(count), "Making videos", leave=False):
        path = folder / f"{number}.mp4"
        write_video(path, scene(250, number), "libx264")
        paths.append(str(path))
    return paths


def copy_videos(folder, count, distinct=4):
    """As `make_videos`, of which only so many differ: drawing takes seconds each."""
    paths = make_videos(folder, min(count, distinct))
    for number in range(len(paths), count):
        paths.append(str(folder / f"{number}.mp4"))
        shutil.copyfile(paths[number % distinct], paths[number])
    return paths


def scene(count, seed, width=340, height=256):
    """Frames of textures of several scales, as photographs have them, and noise."""
    rng = np.random.default_rng(seed)
    ground = np.full((2 * height, 2 * width, 3), 128, np.float32)
    for sigma, strength in ((32, 50), (12, 30), (4, 15), (1.2, 8)):
        noise = cv2.GaussianBlur(
            rng.normal(size=ground.shape).astype(np.float32), (0, 0), sigma
        )
        ground += noise / noise.std() * strength
    frames = np.empty((count, height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        top = int(height / 2 * (1 + np.sin(index / 20)))
        left = int(width / 2 * (1 + np.cos(index / 31)))
        noise = rng.integers(-4, 5, frame.shape)
        seen = ground[top : top + height, left : left + width] + noise
        frame[:] = seen.clip(0, 255)
    return frames


def write_video(path, frames, codec, repeats=1):
    """Encodes frames at 25 a second, once, and writes them over and over if asked."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        packets = []
        for image in frames:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            packets += stream.encode(frame)
        packets += stream.encode()
        for repeat in range(repeats):
            for packet in packets:
                container.mux(_later(packet, stream, repeat * len(frames)))


def _later(packet, stream, frames):
    """A copy of a packet, so many frames later."""
    copy = av.Packet(bytes(packet))
    copy.stream, copy.time_base = stream, packet.time_base
    ticks = round(frames / (25 * packet.time_base))
    copy.pts, copy.dts = packet.pts + ticks, packet.dts + ticks
    copy.is_keyframe = packet.is_keyframe
    return copy
