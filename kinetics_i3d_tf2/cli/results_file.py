"""What `i3d classify` prints and writes about its results."""

import os
from pathlib import Path

import numpy as np
from absl import logging

from ..utils import files
from ..visualization import clip_page
from . import program
from .flags import model_flags


def write_json(out, checkpoints, path, scores, top, damage=None) -> None:
    """Writes the results of a classification.

    Args:
        out: the JSON file.
        checkpoints: as of `chosen_checkpoints.find_checkpoints`.
        path: the video, or None for arrays.
        scores: `Scores` of the clip.
        top: indices of the classes to list, best first.
        damage: `Damage` of the video, if frames are damaged or missing.

    Raises:
        OSError: the file cannot be written.
    """
    flag = model_flags.IMAGENET_PRETRAINED.value
    pretrained = {"released": flag, "scratch": False}.get(checkpoints.kind)
    results = {
        "eval_type": model_flags.eval_type(),
        "imagenet_pretrained": pretrained,
        "checkpoints": {stream: str(p) for stream, p in checkpoints.paths.items()},
        "video": path and str(path),
        "damage": damage and damage.counts(),
        "dtype": model_flags.dtype(),
        "norm_of_logits": float(np.linalg.norm(scores.logits)),
        "top": [
            {
                "class": scores.class_names[index],
                "index": int(index),
                "probability": float(scores.probabilities[index]),
                "logit": float(scores.logits[index]),
            }
            for index in top
        ],
    }
    files.write_json(out, results)


def print_results(scores, top) -> None:
    """Prints the results as the release did.

    Args:
        scores: `Scores` of the clip.
        top: indices of the classes to list, best first.
    """
    print(f"Norm of logits: {np.linalg.norm(scores.logits):f}")
    print("\nTop classes and probabilities")
    for index in top:
        numbers = scores.probabilities[index], scores.logits[index]
        print(*map(program.six_digits, numbers), scores.class_names[index])


def write_page(out, verdict, classifier, done) -> None:
    """Writes the page about a clip.

    Args:
        out: the HTML file.
        verdict: `clip_page.Verdict`.
        classifier: the models.
        done: what it ran, with `class_activation_maps.ENDPOINT`.

    Raises:
        OSError: the file cannot be written.
    """
    from ..models import class_activation_maps as maps

    seen = {}
    for stream, model in classifier.models.items():
        features = done.outputs[stream][maps.ENDPOINT]
        seen[stream] = clip_page.Stream(
            *done.shown[stream],
            maps.maps(model, features)[0],
            maps.over_time(model, features)[0],
        )
    clip_page.write(out, verdict, seen)
    logging.info("The page is %s", out)


def facts(checkpoints, root, damage=None) -> list[str]:
    """Lines about what was run, for the page.

    Args:
        checkpoints: as of `chosen_checkpoints.find_checkpoints`.
        root: folder below which paths are shown relative to it.
        damage: as of `write_json`.
    """
    weights = ", ".join(
        os.path.relpath(path, root)
        if Path(path).is_relative_to(root)
        else files.redact(path)
        for path in checkpoints.paths.values()
    )
    if checkpoints.kind == "demo":
        weights += " (the demonstration's eight drawn actions)"
    return [
        f"{model_flags.eval_type()} by I3D, {model_flags.dtype()}",
        f"Weights: {weights}",
        *([f"The video {damage}"] if damage else []),
    ]
