r"""Computes what labelling very many clips costs, from the rates of a core and a GPU.

  python benchmarks/scale.py
  python benchmarks/scale.py --gpu_clips_a_second=184 --core_price=0.05 --gpu_price=4
  python benchmarks/scale.py --clips_a_second=0.15 --read_clips_a_second=5 \
    --flow_pairs_a_second=57 --clips=650000

Rates that are not given are measured here, in seconds of a core's work, so that other
programs matter little: clips that a core decodes, resizes and scales; pairs of frames
whose TV-L1 flow it computes; clips that it puts through the network of one stream. The
rate of a GPU is what `benchmarks/gpu.py --part=rgb --frames=250` prints. Flow is
computed by cores, and so is everything where no GPU is given.
"""

import math
import tempfile
import time
from pathlib import Path

import made_videos
import numpy as np
from absl import app, flags
from processor import processor_name

CLIPS = flags.DEFINE_integer("clips", 650_000, "Clips; by default Kinetics-700's.", 1)
FRAMES = flags.DEFINE_integer("frames", 250, "Frames of a clip, at 25 a second.", 9)
READ = flags.DEFINE_float("read_clips_a_second", None, "Clips that a core reads.", 0)
FLOW = flags.DEFINE_float("flow_pairs_a_second", None, "Pairs, flow of a core.", 0)
NETWORK = flags.DEFINE_float(
    "clips_a_second", None, "Clips through the network of one stream, on a core.", 0
)
GPU = flags.DEFINE_float(
    "gpu_clips_a_second", None, "Clips through the network of one stream, on a GPU.", 0
)
CORE_PRICE = flags.DEFINE_float("core_price", None, "Price of a core for an hour.", 0)
GPU_PRICE = flags.DEFINE_float("gpu_price", None, "Price of a GPU for an hour.", 0)


def main(_):
    """Prints the rates, and a row for each way to label the clips."""
    rates = {}
    for name, flag, measure in (
        ("clips/s read", READ, measure_reading),
        ("pairs/s of flow", FLOW, measure_flow),
        ("clips/s of one network", NETWORK, measure_network),
    ):
        given = flag.value is not None
        rates[name] = flag.value if given else measure()
        note = "as given" if given else f"measured on {processor_name()}"
        print(f"a core: {rates[name]:8.3g} {name:23} {note}", flush=True)
    read, flow, network = rates.values()
    if GPU.value:
        print(f"a GPU:  {GPU.value:8.3g} clips/s of one network  as given")
    print(
        f"\n{CLIPS.value} clips of {FRAMES.value} frames\n{'':31}core s a clip  "
        "clips an hour  core hours  GPU hours  cores a GPU"
    )
    for streams in (1, 2):
        name = "RGB and Flow" if streams == 2 else "RGB"
        # The last frame has no flow to the next.
        reading = 1 / read + (streams - 1) * (FRAMES.value - 1) / flow
        report(f"{name}, cores", reading + streams / network)
        if GPU.value:
            report(f"{name}, network on a GPU", reading, streams / GPU.value)


def report(name, core_seconds, gpu_seconds=0.0):
    """Prints the row of a way that takes so much of a core and of a GPU for a clip."""
    core_hours, gpu_hours = (
        CLIPS.value * seconds / 3600 for seconds in (core_seconds, gpu_seconds)
    )
    line = f"{name:31}{core_seconds:13.2f}{3600 / (gpu_seconds or core_seconds):15.0f}"
    line += f"{core_hours:12.0f}"
    if gpu_seconds:
        line += f"{gpu_hours:11.1f}{math.ceil(core_seconds / gpu_seconds):13d}"
    if CORE_PRICE.value is not None:
        cost = core_hours * CORE_PRICE.value + gpu_hours * (GPU_PRICE.value or 0)
        line += f"   costs {cost:.0f}"
    print(line)


def measure_reading():
    """Clips that a core decodes, resizes and scales in a second."""
    from kinetics_i3d_tf2.data import clip_frames, preprocessing
    from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe

    recipe = ClipRecipe("rgb")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        scene = made_videos.scene(FRAMES.value, 0)
        made_videos.write_video(path, scene, "libx264")

        def read():
            frames = clip_frames.iter_frames(path, recipe, num_threads=1)
            preprocessing.model_input(frames, recipe)

        return 1 / core_seconds(read, 5)


def measure_flow():
    """Pairs of frames whose flow a core computes in a second."""
    from kinetics_i3d_tf2.video import optical_flow, transforms, tvl1_cpu

    tvl1_cpu.compile_kernels()
    frames = made_videos.scene(9, 0)
    frames = np.stack([transforms.resize_short_side(frame) for frame in frames])
    flow = optical_flow.optical_flow
    seconds = core_seconds(lambda: flow(frames, engine="numba", num_threads=1), 3)
    return (len(frames) - 1) / seconds


def measure_network():
    """Clips that a core puts through the network of one stream in a second."""
    from kinetics_i3d_tf2 import Classifier, InceptionI3d, class_names

    classifier = Classifier.of_models({"rgb": InceptionI3d(400)}, class_names())
    clip = {"rgb": np.zeros((1, FRAMES.value, 224, 224, 3), np.float32)}
    return 1 / core_seconds(lambda: classifier.run(clip, ("Logits",), frozen=True), 2)


def core_seconds(function, count):
    """Seconds of work of all cores for a call, the median of some after a first."""
    times = []
    for _ in range(count + 1):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return float(np.median(times[1:]))


if __name__ == "__main__":
    app.run(main)
