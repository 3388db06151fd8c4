"""How three projects prepare videos for the Frechet Video Distance.

Published distances differ in more than the videos: each project resizes frames, cuts
clips and counts videos in its own way. All use the same network, TF-Hub's
`deepmind/i3d-kinetics-400` or a port of it, whose weights are the released
`rgb_scratch`.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from ..video.transforms import CROP_SIZE, center_crop

_Video = TypeVar("_Video")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FvdProtocol:
    """How videos become clips, and clips a Gaussian.

    Attributes:
        name: its name.
        prepare: function from frames, uint8 or float32 `(frames, height, width, 3)` in
            0..255, to the network's clip, float32 `(frames, 224, 224, 3)` in [-1, 1].
        num_frames: frames of a clip; None takes all frames of each video.
        num_videos: number of videos in a set; None takes all. Published figures have
            as many real and as many generated videos.
        random_clips: whether the clip of a real video starts at a random frame; the
            clip of a generated one starts at the first.
        random_videos: whether `num_videos` real videos are drawn at random; if not,
            they are the first ones by name.
        skips_short: whether videos shorter than a clip are left out; otherwise they
            are unreadable.
        ddof: what is subtracted from the number of videos in the divisor of the
            covariance: 1 is unbiased.
    """

    name: str
    prepare: Callable[[np.ndarray], np.ndarray]
    num_frames: int | None = None
    num_videos: int | None = None
    random_clips: bool = False
    random_videos: bool = False
    skips_short: bool = False
    ddof: int = 1

    @property
    def is_random(self) -> bool:
        """Whether the distance depends on a seed."""
        return self.random_clips or self.random_videos

    def order(
        self, videos: Sequence[_Video], *, is_real: bool, seed: int
    ) -> Sequence[_Video]:
        """Orders a set, of which the first `num_videos` readable ones are used.

        Args:
            videos: all videos of the set, by name.
            is_real: whether they are the real ones.
            seed: seed of the random order.

        Returns:
            The same videos, shuffled if the protocol draws from more of them.
        """
        is_drawn = is_real and self.random_videos and len(videos) > self.num_videos
        if not is_drawn:
            return videos
        return [videos[i] for i in np.random.default_rng(seed).permutation(len(videos))]


def reference_clip(frames: np.ndarray) -> np.ndarray:
    """Prepares frames as the reference implementation of FVD does.

    Frames are stretched to 224x224 as TensorFlow 1's `tf.image.resize_bilinear` does:
    pixels are sampled at their top left corners, not at their centres, without
    antialiasing.

    Args:
        frames: uint8 or float32 `(frames, height, width, 3)` in 0..255.

    Returns:
        float32 `(frames, 224, 224, 3)` in [-1, 1].

    Source: `preprocess` in frechet_video_distance/frechet_video_distance.py of
    google-research/google-research.
    """
    return _scale(_resize(frames, CROP_SIZE, CROP_SIZE, half_pixel_centers=False))


def styleganv_clip(frames: np.ndarray) -> np.ndarray:
    """Prepares frames as StyleGAN-V does.

    Values become 8 bits, rounded to nearest, and frames are stretched to 224x224,
    bilinear between the centres of pixels, without antialiasing. StyleGAN-V's own
    frames are square: its scripts crop them when they make the dataset.

    Args:
        frames: uint8 or float32 `(frames, height, width, 3)` in 0..255.

    Returns:
        float32 `(frames, 224, 224, 3)` in [-1, 1].

    Source: src/metrics/metric_utils.py of universome/stylegan-v (`x * 127.5 + 128` to
    uint8). The resizing is inside its TorchScript file (`resize=True`), whose code is
    not in the repository; PyTorch's `interpolate` does the above.
    """
    frames = np.floor(frames.astype(np.float32) + 0.5).clip(0, 255)
    return _scale(_resize(frames, CROP_SIZE, CROP_SIZE, half_pixel_centers=True))


def videogpt_clip(frames: np.ndarray) -> np.ndarray:
    """Prepares frames as VideoGPT does.

    Values become 8 bits, rounded down; the short side becomes 224, bilinear between
    the centres of pixels, without antialiasing; the centre is cropped.

    Args:
        frames: uint8 or float32 `(frames, height, width, 3)` in 0..255.

    Returns:
        float32 `(frames, 224, 224, 3)` in [-1, 1].

    Source: `preprocess` in videogpt/data.py of wilson1yan/VideoGPT. That version feeds
    its network [-0.5, 0.5]; the code of the paper, videogpt/fvd/fvd.py of
    wilson1yan/VideoGPT-Paper, feeds [-1, 1] as here.
    """
    height, width = frames.shape[1:3]
    scale = CROP_SIZE / min(height, width)
    if height < width:
        size = (CROP_SIZE, math.ceil(width * scale))
    else:
        size = (math.ceil(height * scale), CROP_SIZE)
    frames = np.floor(frames.astype(np.float32))
    return center_crop(_scale(_resize(frames, *size, half_pixel_centers=True)))


REFERENCE = FvdProtocol(name="reference", prepare=reference_clip)
"""The reference implementation: any frames, any number of videos.

Source: google-research/google-research, frechet_video_distance; its covariance is
TF-GAN's `frechet_classifier_distance_from_activations`.
"""

STYLEGANV = FvdProtocol(
    name="styleganv",
    prepare=styleganv_clip,
    num_frames=16,
    num_videos=2048,
    random_clips=True,
    skips_short=True,
    ddof=0,
)
"""StyleGAN-V's `fvd2048_16f` (arXiv 2112.14683).

Source: universome/stylegan-v at 1f630af: src/metrics/metric_main.py (2048 videos of 16
frames), frechet_video_distance.py (short videos are left out), metric_utils.py (order
of the dataset, covariance divided by n) and src/training/dataset.py (random start of
real clips).
"""

VIDEOGPT = FvdProtocol(
    name="videogpt",
    prepare=videogpt_clip,
    num_frames=16,
    num_videos=256,
    random_clips=True,
    random_videos=True,
)
"""VideoGPT's evaluation (arXiv 2104.10157), which averages over several seeds.

Source: wilson1yan/VideoGPT at 3eee7ec: scripts/compute_fvd.py (256 clips out of a
shuffled loader) and videogpt/data.py (clips of all starts); covariance as in
videogpt/fvd/fvd.py. 16 is the `sequence_length` of its training scripts.
"""

PROTOCOLS: dict[str, FvdProtocol] = {
    protocol.name: protocol for protocol in (REFERENCE, STYLEGANV, VIDEOGPT)
}


def find_protocol(name: str) -> FvdProtocol:
    """Returns the protocol of a name.

    Args:
        name: "reference", "styleganv" or "videogpt".

    Raises:
        ValueError: there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise ValueError(
            f"protocol must be one of {', '.join(PROTOCOLS)}. Received: {name!r}"
        )
    return PROTOCOLS[name]


def _resize(frames, height, width, *, half_pixel_centers):
    import tensorflow as tf  # Saved statistics need no clips.

    with tf.device("CPU"):
        return tf.raw_ops.ResizeBilinear(
            images=frames,
            size=(height, width),
            align_corners=False,
            half_pixel_centers=half_pixel_centers,
        ).numpy()


def _scale(frames):
    return frames * np.float32(2) / np.float32(255) - np.float32(1)
