"""Trains small models in a process of its own, as its command line says.

  python tests/replicas.py VIDEOS '{"FOLDER": {"strategy": "mirrored", ...}, ...}'

Run by training/test_distribution.py: logical devices and TF_CONFIG belong to a process.
"""

import dataclasses
import json
import sys

REPLICAS = 2


def main(videos, runs):
    import tensorflow as tf

    if any(options["strategy"] == "mirrored" for options in runs.values()):
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * REPLICAS,
        )
    from kinetics_i3d_tf2.training import distribution

    # Two multi-worker strategies in one process receive each other's messages.
    strategies = {}
    for folder, options in runs.items():
        name = options.pop("strategy")
        strategies[name] = strategies.get(name) or distribution.create(name)
        train(videos, folder, strategies[name], **options)


def train(
    videos,
    folder,
    strategy,
    *,
    model="c3d",
    validates=False,
    gradient_accumulation_steps=1,
    **changes,
):
    import trainings

    import kinetics_i3d_tf2 as i3d

    recipe = dataclasses.replace(
        {"c3d": trainings.C3D, "i3d": trainings.I3D}[model],
        **{
            "steps": 3,
            "batch_size": 4,
            "rates": ((0, 0.1),),
            "dropout_rate": 0.0,
            "batch_norm": "frozen",
            **changes,
        },
    )
    options = i3d.TrainingOptions(
        checkpoint_every=recipe.steps,
        width=trainings.WIDTH,
        gradient_accumulation_steps=gradient_accumulation_steps,
    )
    data = trainings.read_videos(videos)
    if not validates:
        data = data._replace(validation=())
    i3d.train(recipe, data, folder, options=options, strategy=strategy)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
