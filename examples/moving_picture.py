r"""Draws clips as a GIF: frames, optical flow, and how the scores change over time.

  python examples/moving_picture.py data/demo_opening_a_door.mp4 \
    data/demo_picking_up.mp4 --out=docs/demo.gif

The scores at a frame are those of the clip up to it. The weights are the
demonstration's; --rgb and --flow take others of the same classes.
"""

import argparse
import io
import os

import numpy as np
from PIL import Image

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.models.architecture import MIN_FRAMES
from kinetics_i3d_tf2.video.transforms import loop
from kinetics_i3d_tf2.visualization import images, plots

CLASSES = 4
DURATION = 160  # milliseconds a frame: a quarter of real time
PAUSE = 2000  # milliseconds for which the last frame of a clip stays
FULL_COLOR = 8.0  # pixels a frame


def main():
    """Writes the picture that the command line describes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", help="short clips")
    parser.add_argument("--out", default="demo.gif", help="GIF to write")
    parser.add_argument("--rgb", default="checkpoints/demo_rgb", help="checkpoint")
    parser.add_argument("--flow", default="checkpoints/demo_flow", help="checkpoint")
    options = parser.parse_args()
    classifier = i3d.Classifier(options.rgb, options.flow)
    clips = [Progress(path, classifier) for path in options.videos]
    draw(clips, classifier.class_names, options.out)
    print(f"{options.out}: {os.path.getsize(options.out) / 1e6:.2f} MB")


class Progress:
    """A clip, and the probabilities of its classes after each frame.

    Attributes:
        frames: uint8 `(frames, 224, 224, 3)`.
        flow: float32 `(frames - 1, 224, 224, 2)`, pixels.
        probabilities: float32 `(frames - 1, classes)`.
    """

    def __init__(self, path, classifier):
        frames = i3d.resize_short_side(i3d.read_video(path))
        self.frames = i3d.center_crop(frames)
        self.flow = i3d.center_crop(i3d.optical_flow(frames))
        rgb, flow = i3d.normalize_rgb(self.frames), i3d.normalize_flow(self.flow)
        self.probabilities = np.stack(
            [
                classifier.score_clips(
                    {
                        "rgb": loop(rgb[: count + 1], MIN_FRAMES)[None],
                        "flow": loop(flow[:count], MIN_FRAMES)[None],
                    }
                ).probabilities
                for count in range(1, len(flow) + 1)
            ]
        )


def draw(clips: list[Progress], names: tuple[str, ...], path: str) -> None:
    """Draws the clips one after another, with lines for the best classes of all."""
    peaks = np.concatenate([clip.probabilities for clip in clips]).max(0)
    classes = np.argsort(-peaks)[:CLASSES]
    pictures, durations = [], []
    for clip in clips:
        for time in range(len(clip.flow)):
            with plots.new_figure(8, 2.5) as figure:
                _draw_frame(figure, clip, time, {names[i]: i for i in classes})
                pictures.append(_as_image(figure))
            durations.append(DURATION)
        durations[-1] = PAUSE
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)


def _draw_frame(figure, clip, time, classes):
    figure.set_layout_engine("none")  # Every frame has its panels in the same places.
    places = {"left": 0.01, "right": 0.76, "bottom": 0.2, "top": 0.88, "wspace": 0.16}
    rgb, flow, chart = figure.subplots(
        1, 3, width_ratios=(1, 1, 1.5), gridspec_kw=places
    )
    pictures = clip.frames[time + 1], images.flow_colors(clip.flow[time], FULL_COLOR)
    titles = "RGB", "optical flow"
    for axes, picture, title in zip((rgb, flow), pictures, titles, strict=True):
        axes.imshow(picture)
        axes.set_title(title)
        axes.axis("off")
    for number, (name, index) in enumerate(classes.items()):
        values = clip.probabilities[: time + 1, index]
        label = f"{name} {values[-1]:4.0%}"
        chart.plot(range(2, time + 3), values, f"C{number}", label=label, linewidth=2.5)
        chart.plot(time + 2, values[-1], f"C{number}o", markersize=6)
    chart.set_title("probability, both streams")
    chart.set(xlim=(1.5, len(clip.frames) + 0.5), ylim=(-0.04, 1.04), xlabel="frame")
    chart.set_xticks(range(2, len(clip.frames) + 1, 2))
    chart.legend(
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        labelcolor="linecolor",
        handlelength=1,
    )


def _as_image(figure):
    """The figure with 256 colours, among them those of thin lines."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    image = Image.open(buffer).convert("RGB")
    return image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
