r"""Times `i3d classify` from a video file to the joint answer, and its parts.

  python benchmarks/classify.py
  python benchmarks/classify.py --video=clip.mp4 --engines=auto

A video of ten seconds, 340x256 at 25 frames a second, is made unless one is named. The
checkpoints hold the weights of the golden figures, written to a temporary folder. Whole
processes are timed one engine after the other, --repeats times.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import made_videos
from absl import app, flags
from processor import processor_name

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

VIDEO = flags.DEFINE_string("video", None, "Video; by default one is made.")
SECONDS = flags.DEFINE_float("seconds", 10, "Length of the video that is made.", 0.5)
ENGINES = flags.DEFINE_list("engines", ["auto", "opencv"], "Engines of flow.")
REPEATS = flags.DEFINE_integer("repeats", 1, "Runs of the whole program.", 1)
CHANNELS = {"rgb": 3, "flow": 2}

PARTS = """
import sys, time
marks = [("start of Python", time.perf_counter())]
def mark(name):
    marks.append((name, time.perf_counter()))
from kinetics_i3d_tf2.cli import program
with program.quiet_tensorflow():
    import tensorflow, keras
    import kinetics_i3d_tf2 as i3d
    i3d.Classifier
mark("import")
folder = sys.argv[1]
classifier = i3d.Classifier(f"{folder}/rgb_imagenet", f"{folder}/flow_imagenet")
mark("load")
from kinetics_i3d_tf2.inference.frames import read_frames
frames = read_frames(sys.argv[2])
mark("decode and resize")
clips = classifier.prepare(frames)
mark("flow")
classifier.score_clips(clips)
mark("network")
for (_, before), (name, after) in zip(marks, marks[1:]):
    print(f"  {name:18}{after - before:7.2f} s")
"""


def main(_):
    """Prints the whole of each engine, and the parts of the fastest."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_checkpoints(folder)
        video = VIDEO.value or make_video(folder / "clip.mp4")
        print(f"{processor_name()}; {video if VIDEO.value else f'{SECONDS.value:g} s'}")
        times = {engine: [] for engine in ENGINES.value}
        for _ in range(REPEATS.value):
            for engine in times:
                times[engine].append(whole(folder, video, engine))
        medians = {engine: statistics.median(found) for engine, found in times.items()}
        slowest = max(medians.values())
        for engine, seconds in medians.items():
            ratio = slowest / seconds
            print(
                f"whole process, --flow_engine={engine}: {seconds:.1f} s, {ratio:.1f}"
            )
        print("parts, flow by auto:")
        command = [sys.executable, "-c", PARTS, folder, video]
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def make_video(path):
    """A scene under a moving camera."""
    frames = made_videos.scene(round(25 * SECONDS.value), seed=0)
    made_videos.write_video(path, frames, "libx264")
    return path


def write_checkpoints(folder):
    """Full-size checkpoints of both streams, laid out as the release's."""
    import recipe

    from kinetics_i3d_tf2 import InceptionI3d, save_checkpoint

    for stream, channels in CHANNELS.items():
        model = recipe.assign(InceptionI3d(num_channels=channels))
        save_checkpoint(model, folder / f"{stream}_imagenet" / "model.ckpt")


def whole(folder, video, engine):
    """Seconds of the whole program."""
    command = [sys.executable, "-m", "kinetics_i3d_tf2", "classify"]
    flags_ = [f"--video={video}", f"--checkpoint_dir={folder}", "--eval_type=joint"]
    start = time.perf_counter()
    subprocess.run(
        [*command, *flags_, f"--flow_engine={engine}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
