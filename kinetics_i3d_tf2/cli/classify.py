r"""Labels videos with the two-stream I3D.

Any video file; RGB and TV-L1 optical flow are computed:
  i3d classify --video=clip.mp4

Many videos, as a table with a row for each; stopped, the same command goes on:
  i3d classify videos/ more/*.mp4 --eval_type=rgb --out=labels.csv

A long video, window by window, with captions for a player:
  i3d classify film.mp4 --window=2.56 --stride=1 --out=film.csv --captions=film.vtt

A row for every 8 frames, by logits that are each computed once, and a page of them:
  i3d classify film.mp4 --dense --out=film.csv --timeline=film.html

RGB alone, which is much faster:
  i3d classify --video=clip.mp4 --eval_type=rgb

With models of your own, as i3d train writes them:
  i3d classify --video=clip.mp4 --rgb_checkpoint=RUN/best \
    --flow_checkpoint=FLOW_RUN/best

As a page that shows where and when the network finds the classes:
  i3d classify --video=clip.mp4 --report=clip.html

A camera or a stream, the newest seconds again and again:
  i3d classify rtsp://camera/stream --eval_type=rgb --every=2

Of one video it prints the norm of the logits and the top classes, each with its
probability and its logit. Results go to standard output, messages to standard error.
"""

from absl import flags

from . import classify_clip, classify_live, classify_table, program
from .flags import flow_flags, label_flags, model_flags, reading_flags

model_flags.declare_for_help()
flow_flags.declare_for_help()
label_flags.declare_for_help()
classify_clip.declare_for_help()
classify_live.declare_for_help()
reading_flags.declare_for_help()
_VIDEO = flags.DEFINE_string(
    "video",
    None,
    "Video to classify: a file of any format that FFmpeg reads, a folder of images, or "
    "- for standard input.",
)
_START = flags.DEFINE_float("start", 0, "Second of --video to begin at.", 0)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames",
    250,
    "Frames of --video to use, at 25 a second; 250 is a clip of Kinetics. 0 is all; "
    "more than 320 go through the network in pieces, with the same result.",
    0,
)


def main(argv, *, root="."):
    """Classifies what the flags name.

    Args:
        argv: positional arguments: the program, and videos.
        root: folder that holds checkpoints/ and data/.
    """
    program.reject_values_of_switches(argv)
    names = argv[1:] if _VIDEO.value is None else [_VIDEO.value, *argv[1:]]
    cut = {"start": _START.value, "max_frames": _MAX_FRAMES.value or None}
    if classify_live.is_wanted(names):
        label_flags.check_inputs(names, classify_clip.FLAGS)
        classify_live.main(names, root=root)
    elif label_flags.is_wanted(names if argv[1:] else []):
        label_flags.check_inputs(names, classify_clip.FLAGS)
        classify_table.main(names, root=root, **cut)
    else:
        if not names and (_START.present or _MAX_FRAMES.present):
            raise ValueError("--start and --max_frames cut a --video; none is given")
        classify_clip.main(names[0] if names else None, root=root, **cut)
