"""Shards: how clips are spread over record files, and the writing of one file.

A folder of records has the record files, `label_map.txt`, `report.json` and a folder
`work` with two lists for each record file: its clips and their outcomes.
"""

import dataclasses
import importlib
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
from absl import logging

from ...utils import files, fingerprint
from ...utils.errors import problem_of
from ...utils.journal import Journal, JsonRows
from ...utils.tensorflow_errors import as_write_errors
from ...video import flow_engines, transforms
from ...video.damage import Damage
from ...video.reader import FRAME_RATE
from ...video.tvl1_parameters import EPSILON
from .. import clip_frames, preprocessing
from ..clip_recipe import ClipRecipe
from ..clips import Clip
from ..read_options import ReadOptions
from . import image_coding, mediasequence
from .image_coding import Coding
from .outcomes import Outcome, work_file

# As in MediaPipe's kinetics_dataset.py. Any fixed order would do.
_SHUFFLE_SEED = 47
_FILE_THREADS = 16


class Settings(NamedTuple):
    """How clips are prepared."""

    has_flow: bool = True
    short_side: int = transforms.SHORT_SIDE
    coding: Coding = Coding()
    flow_epsilon: float = EPSILON
    flow_engine: str = "auto"
    reading: ReadOptions = ReadOptions()

    def as_json(self) -> dict:
        """The settings as JSON's types."""
        settings = self._asdict() | {
            "coding": dataclasses.asdict(self.coding),
            "flow_engine": self.used_engine(),
        }
        # Limits decide which clips there are, not what they hold.
        return settings | {"image_fps": settings.pop("reading").image_fps}

    def recipe(self) -> ClipRecipe:
        """The same for `preprocessing`; nothing is cropped."""
        return ClipRecipe(
            "joint" if self.has_flow else "rgb",
            short_side=self.short_side,
            crop_size=self.short_side,
            flow_engine=self.flow_engine,
            flow_epsilon=self.flow_epsilon,
            reading=self.reading,
        )

    def used_engine(self) -> str | None:
        """The engine that computes the flow here, with its version."""
        if not self.has_flow:
            return None
        engine = flow_engines.choose_engine(self.flow_engine, num_threads=1)
        module = importlib.import_module("cv2" if engine == "opencv" else engine)
        return f"{engine} {module.__version__}"


def plan(
    folder: str, name: str, clips: Sequence[Clip], num_shards: int
) -> dict[str, list[Clip]]:
    """Spreads clips over record files, always in the same way.

    Args:
        folder: folder of the record files.
        name: first part of their names.
        clips: all clips.
        num_shards: number of files.

    Returns:
        The clips by path of the record file, `NAME-00000-of-00010`.
    """
    order = random.Random(_SHUFFLE_SEED).sample(range(len(clips)), len(clips))
    return {
        files.join(folder, f"{name}-{shard:05d}-of-{num_shards:05d}"): [
            clips[index] for index in order[shard::num_shards]
        ]
        for shard in range(num_shards)
    }


def write_plan(shards: dict[str, list[Clip]]) -> None:
    """Writes the list of each shard's clips, and an empty list of outcomes.

    Args:
        shards: from `plan`.

    Raises:
        OSError: a list cannot be written.
    """

    def write(shard):
        lines = [json.dumps(clip) + "\n" for clip in shards[shard]]
        for kind, content in (("clips", "".join(lines)), ("done", "")):
            with files.atomic_writer(work_file(shard, kind)) as path:
                path.write_text(content, encoding="utf-8")

    for folder in {work_file(shard, "clips").rpartition("/")[0] for shard in shards}:
        files.make_dirs(folder)
    with ThreadPoolExecutor(_FILE_THREADS) as pool:
        list(pool.map(write, shards))


def write_shard(
    shard: str, settings: Settings, *, folder: str | os.PathLike = ""
) -> None:
    """Writes a record file, unless it exists: with all its clips, or no file.

    A clip that cannot be prepared is left out; its outcome has the reason.

    Args:
        shard: path of the record file.
        settings: how clips are prepared.
        folder: what relative paths of clips are relative to; by default the current
            folder of this process.

    Raises:
        OSError: the file cannot be written.
    """
    import tensorflow as tf

    if files.exists(shard):
        return
    cv2.setNumThreads(1)  # Shards are written in parallel.
    with files.open_file(work_file(shard, "clips")) as file:
        clips = [Clip.from_json(json.loads(line)) for line in file]
    with (
        as_write_errors(shard),
        files.atomic_writer(shard) as path,
        Journal(work_file(shard, "done"), JsonRows(), resume=False) as done,
        tf.io.TFRecordWriter(str(path)) as writer,
    ):
        for clip in clips:
            start = time.monotonic()
            example, outcome = _prepare(clip, settings, folder)
            if example is not None:
                writer.write(example)
            seconds = round(time.monotonic() - start, 3)
            done.append(outcome._replace(seconds=seconds))
    if any(clip.path != files.redact(clip.path) for clip in clips):
        files.remove(work_file(shard, "clips"))  # It contains credentials.


def encode_clip(
    clip: Clip,
    settings: Settings,
    *,
    folder: str | os.PathLike = "",
    on_damage: Callable[[Damage], None] | None = None,
) -> tuple[bytes, int]:
    """Reads, trims, resizes and codes a clip.

    Args:
        clip: a video or a span of one.
        settings: how it is prepared.
        folder: as of `write_shard`; the example has the path as it is.
        on_damage: gets the counts of damaged and missing frames, if there are any.

    Returns:
        A serialized SequenceExample, and the number of frames.

    Raises:
        OSError: the file does not exist.
        ValueError: it cannot be read, exceeds a limit, or has one frame and the
            settings have flow.
    """
    coding, recipe = settings.coding, settings.recipe()
    rgb, flow, size = [], [], 0
    path = files.from_folder(clip.path, folder)
    frames = clip_frames.iter_frames(
        path,
        recipe,
        holds_all=False,  # Only as they are coded.
        on_damage=on_damage,
        start=clip.start,
        end=clip.end,
        num_threads=1,
    )
    pairs = preprocessing.resized_with_flow(frames, recipe, num_threads=1)
    for frame, displacement in pairs:
        if size > settings.reading.max_clip_bytes:
            raise settings.reading.too_long(path, len(rgb))
        rgb += image_coding.encode_rgb([frame], coding)
        if displacement is not None:
            flow += image_coding.encode_flow([displacement], coding)
        size += sum(len(images[-1]) for images in (rgb, flow) if images)
    if settings.has_flow and not flow:
        raise ValueError(
            f"{path}: Optical flow needs at least two frames. Received: one; "
            "prepare RGB alone to keep such clips"
        )
    example = mediasequence.make_example(
        clip,
        rgb,
        flow,
        coding=coding,
        size=frame.shape[:2],
        frame_rate=FRAME_RATE,
    )
    return example, len(rgb)


def _prepare(clip, settings, folder):
    """The serialized example, or None, and the outcome."""
    # Before the video is read, as it may be replaced meanwhile.
    path = files.from_folder(clip.path, folder)
    today = fingerprint.of_file(path)
    outcome = Outcome(clip.path, clip.example_id, 0, "", 0.0, fingerprint=today)
    found = []
    try:
        example, count = encode_clip(
            clip, settings, folder=folder, on_damage=found.append
        )
    except Exception as error:  # One bad clip must not stop the others.
        why = problem_of(error, path)
        logging.warning("Left out: %s: %s", files.redact(clip.path), why)
        return None, outcome._replace(reason=why)
    damage = found[0].counts() if found else None
    return example, outcome._replace(num_frames=count, damage=damage)
