r"""Measures I3D and TV-L1 on a GPU through Keras on JAX, without TensorFlow.

  KERAS_BACKEND=jax python benchmarks/gpu.py --json=gpu.json
  KERAS_BACKEND=jax python benchmarks/gpu.py --part=rgb --frames=250 --seconds=120
  KERAS_BACKEND=jax python benchmarks/gpu.py --width=0.0625 --frames=16 \
    --batch_sizes=1 --pairs=4 --at_once=4

agreement: logits of each precision against the release's own code (the golden figures,
at --width=1) and against float32 on this machine's CPU. rgb: clips a second of the
whole network by frames, batch size and precision, with clips that are on the device;
those that differ from the first of each list in fewest respects come first. dense: the
same with logits at each place in time. train: steps of `Momentum` with batch norm and
dropout live. flow: pairs of frames of 224x224 a second against Numba, and against
OpenCV where it has `optflow`, on one thread of this machine's CPU.

float32 is without TF32, tf32 with it; bfloat16 and float16 are Keras's mixed policies.
Nothing new begins in a part when its share of --seconds would not suffice for what took
longest in it. Each figure is printed, and written to --json, when it is there.
"""

import functools
import json
import sys
import time
from pathlib import Path

import jax
import keras
import numpy as np
from absl import app, flags
from arithmetic import multiply_adds
from processor import processor_name

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

# Of --seconds.
SHARES = {"agreement": 4, "rgb": 8, "dense": 2, "train": 4, "flow": 4}
# Policy of Keras, and how JAX multiplies float32.
PRECISIONS = {
    "bfloat16": ("mixed_bfloat16", "float32"),
    "float32": ("float32", "float32"),
    "tf32": ("float32", "tensorfloat32"),
    "float16": ("mixed_float16", "float32"),
}

PART = flags.DEFINE_list("part", list(SHARES), f"What to measure, of {list(SHARES)}.")
SECONDS = flags.DEFINE_float("seconds", 220, "Seconds for all parts together.", 1)
JSON = flags.DEFINE_string("json", None, "File for the figures.")
WIDTH = flags.DEFINE_float("width", 1.0, "Factor on the number of filters.", 0)
FRAMES = flags.DEFINE_list("frames", ["64", "250", "79"], "Frames of a clip.")
BATCH_SIZES = flags.DEFINE_list("batch_sizes", ["32", "8", "1"], "Clips at once.")
PRECISION = flags.DEFINE_list("precision", list(PRECISIONS), "Precisions.")
PAIRS = flags.DEFINE_integer("pairs", 256, "Pairs of frames of part flow.", 1)
AT_ONCE = flags.DEFINE_integer("at_once", 64, "Pairs computed at once on the GPU.", 1)

RESULTS = {"figures": []}


def main(_):
    """Prints a line for each figure."""
    device = jax.devices()[0]
    RESULTS.update(
        device=device.device_kind,
        processor=processor_name(),
        width=WIDTH.value,
        versions={"jax": jax.__version__, "keras": keras.__version__},
    )
    print(
        f"{device.device_kind} and {processor_name()}; JAX {jax.__version__}, Keras "
        f"{keras.__version__}; width {WIDTH.value:g}"
    )
    parts = {
        "agreement": agreement,
        "rgb": lambda: forward("rgb", configurations()),
        "dense": lambda: forward("dense", configurations()),
        "train": train,
        "flow": flow,
    }
    for name in PART.value:
        share = SHARES[name] / sum(SHARES[each] for each in PART.value)
        run_part(name, parts[name](), share * SECONDS.value)


def run_part(name, steps, seconds):
    """Makes the steps of a part, each a figure, while there is time."""
    begin = last = time.perf_counter()
    longest = 0
    for label, figures in steps:
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        text = ", ".join(f"{figure:.5g} {what}" for what, figure in figures.items())
        print(f"{name:10}{label}: {text}  [{now - begin:.0f} s]", flush=True)
        RESULTS["figures"].append({"part": name, "of": label, **figures})
        if JSON.value:
            Path(JSON.value).write_text(json.dumps(RESULTS, indent=1))
        if now - begin + longest > seconds:
            print(f"{name:10}ends here: {seconds:.0f} s are its share of the time")
            return


def configurations():
    """Frames, batch size and precision, the most alike to the first ones first."""
    lists = [list(map(int, FRAMES.value)), list(map(int, BATCH_SIZES.value))]
    lists.append(PRECISION.value)
    every = [(f, b, p) for f in lists[0] for b in lists[1] for p in lists[2]]
    return sorted(every, key=lambda each: sum(map(np.not_equal, each, every[0])))


def build(precision, temporal="mean"):
    """Model with the golden figures' weights, and its variables for `compiled`."""
    policy, products = PRECISIONS[precision]
    jax.config.update("jax_default_matmul_precision", products)
    model = cached_model(policy, temporal)
    states = model.trainable_variables, model.non_trainable_variables
    return model, tuple([variable.value for variable in each] for each in states)


@functools.cache
def cached_model(policy, temporal):
    import recipe

    from kinetics_i3d_tf2 import InceptionI3d

    model = InceptionI3d(width=WIDTH.value, dtype=policy, temporal=temporal)
    return recipe.assign(model)


def compiled(model):
    """From variables and clips to logits."""
    return jax.jit(lambda state, clips: model.stateless_call(*state, clips)[0])


def random_clips(batch, frames):
    """Clips that are on the device."""
    shape = batch, frames, 224, 224, 3
    return jax.random.uniform(jax.random.key(0), shape, minval=-1, maxval=1)


def agreement():
    """Yields differences of logits from the release's, and from the CPU's."""
    import recipe

    clips = recipe.clip(16, 3)
    golden = Path(__file__).parent.parent / "tests" / "golden" / "eval_rgb_16.npz"
    released = np.load(golden)["logits"]
    results = {}
    for precision in PRECISION.value:
        model, state = build(precision)
        results[precision] = logits = np.asarray(compiled(model)(state, clips))
        if WIDTH.value == 1:
            yield f"{precision} and the release", differences(logits, released)
    model, state = build("float32")
    state = jax.device_put(state, jax.devices("cpu")[0])
    exact = np.asarray(compiled(model)(state, clips))
    for precision, logits in results.items():
        yield f"{precision} and float32 on CPU", differences(logits, exact)


def differences(received, expected):
    """Largest difference, and that in standard deviations of the logits."""
    largest = float(np.abs(received - expected).max())
    return {
        "largest": largest,
        "standard deviations": largest / float(expected.std()),
        "same top 1": float(received.argmax() == expected.argmax()),
    }


def forward(part, each):
    """Yields throughput of the whole network."""
    for frames, batch, precision in each:
        model, state = build(precision, "dense" if part == "dense" else "mean")
        label = f"{frames} frames, batch {batch:2}, {precision}"
        try:
            clips = random_clips(batch, frames)
            run = compiled(model).lower(state, clips).compile()
            seconds = throughput(lambda r=run, s=state, c=clips: r(s, c))
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            yield f"{label} does not fit", {}
            continue
        figures = {"clips/s": batch / seconds, "frames/s": batch * frames / seconds}
        if WIDTH.value == 1:
            operations = 2 * batch * multiply_adds(frames)
            figures["TFLOP/s"] = operations / seconds / 1e12
        yield label, figures


def throughput(run):
    """Seconds of a run among many that are queued, median of five queues."""
    jax.block_until_ready(run())
    start = time.perf_counter()
    jax.block_until_ready(run())
    count = max(1, round(0.2 / (time.perf_counter() - start)))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        jax.block_until_ready([run() for _ in range(count)])
        times.append((time.perf_counter() - start) / count)
    return float(np.median(times))


def train():
    """Yields the rate of training steps on a batch that is on the device."""
    from kinetics_i3d_tf2.models.losses import Crossentropy
    from kinetics_i3d_tf2.training.momentum import Momentum

    frames, batch = int(FRAMES.value[0]), min(8, int(BATCH_SIZES.value[0]))
    labels = jax.numpy.arange(batch)
    for precision in PRECISION.value:
        model, _ = build(precision)
        cached_model.cache_clear()  # Training changes its weights.
        model.compile(Momentum(0.001), Crossentropy(), jit_compile=True)
        clips = random_clips(batch, frames)
        first = model.train_on_batch(clips, labels)
        seconds = throughput(lambda m=model, c=clips: m.train_on_batch(c, labels))
        last = model.train_on_batch(clips, labels)
        yield (
            f"{batch} clips of {frames} frames, {precision}",
            {
                "steps/s": 1 / seconds,
                "clips/s": batch / seconds,
                "first loss": float(first),
                "last loss": float(last),
            },
        )


def flow():
    """Yields the rates of the engines, and how far their flows are apart."""
    import cv2
    import moving_texture

    from kinetics_i3d_tf2.video import optical_flow, tvl1_cpu, tvl1_keras

    jax.config.update("jax_default_matmul_precision", "float32")
    tvl1_cpu.compile_kernels()
    cv2.setNumThreads(1)
    frames = moving_texture.frames(PAIRS.value + 1)
    count = min(16, PAIRS.value)

    def on_device(frames):
        grey = tvl1_keras.grey(frames)
        return tvl1_keras.tvl1_flow(grey[:-1], grey[1:], pairs=AT_ONCE.value)

    run = jax.jit(on_device)
    seconds = throughput(lambda: run(frames))
    received = np.asarray(run(frames))[:count]
    yield (
        f"Keras on JAX, {AT_ONCE.value} at once",
        {"pairs/s": PAIRS.value / seconds},
    )
    for engine in ("numba", "opencv"):
        if engine == "opencv" and not hasattr(cv2, "optflow"):
            yield f"opencv: OpenCV {cv2.__version__} without optflow", {}
            continue
        few = frames[: (count if engine == "numba" else min(count, 4)) + 1]
        start = time.perf_counter()
        expected = optical_flow.optical_flow(few, engine=engine, num_threads=1)
        one = (time.perf_counter() - start) / len(expected)
        error = np.linalg.norm(received[: len(expected)] - expected, axis=-1).mean()
        yield (
            f"{engine}, 1 thread",
            {
                "pairs/s": 1 / one,
                "times as fast is the GPU": one / (seconds / PAIRS.value),
                "px between them": float(error),
            },
        )


if __name__ == "__main__":
    app.run(main)
