r"""Peak memory and seconds of scoring long videos at full width.

  python benchmarks/memory.py
  python benchmarks/memory.py --seconds=80,600 --streams=rgb,joint

Each length and stream runs in a process of its own: all frames of a video of 340x256
pixels at 25 frames a second are decoded, resized and scored; flow is TV-L1 by the
fastest engine. Weights are random: time and memory do not depend on them.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCENE_SECONDS = 10  # of the scene that is repeated


def main(_):
    """Prints a line for each length and stream."""
    print(processor_name())
    with tempfile.TemporaryDirectory() as folder:
        for seconds in map(int, SECONDS.value):
            path = Path(folder) / f"{seconds}.mp4"
            scene = made_videos.scene(25 * SCENE_SECONDS, seed=0)
            made_videos.write_video(path, scene, "libx264", seconds // SCENE_SECONDS)
            for stream in STREAMS.value:
                command = [sys.executable, __file__, "measure", path, stream]
                subprocess.run(command, check=True)


def measure(path, stream):
    """Scores a video in this process."""
    from kinetics_i3d_tf2 import Classifier, InceptionI3d

    channels = {"rgb": 3, "flow": 2}
    chosen = channels if stream == "joint" else (stream,)
    models = {name: InceptionI3d(num_channels=channels[name]) for name in chosen}
    classifier = Classifier.of_models(models, map(str, range(400)))
    before, start = resident_mib(), time.perf_counter()
    scores = classifier.score(path, max_frames=None)
    seconds = time.perf_counter() - start
    print(
        f"{stream:5} {scores.seconds[1]:6.0f} s of video: peak {peak_mib():6.0f} MiB, "
        f"of which {before:.0f} before; {seconds:.0f} s",
        flush=True,
    )


def resident_mib():
    """What this process holds now."""
    return _status_mib("VmRSS")


def peak_mib():
    """The most it has held since it began, or since `forget_peak`."""
    return _status_mib("VmHWM")


def forget_peak():
    """Lets the peak begin again from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_mib(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) / 2**10
    raise OSError(f"/proc/self/status does not tell {name}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(*sys.argv[2:])
    else:
        import made_videos
        from absl import app, flags
        from processor import processor_name

        SECONDS = flags.DEFINE_list("seconds", ["80", "600"], "Lengths of the videos.")
        STREAMS = flags.DEFINE_list("streams", ["rgb", "joint"], "rgb, flow, joint.")
        app.run(main)
