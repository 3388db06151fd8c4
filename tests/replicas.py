"""Trains small models in a process of its own, as its command line says.

  python tests/replicas.py VIDEOS '{"FOLDER": {"strategy": "mirrored", ...}, ...}'

Run by test_fitting.py, because logical devices and TF_CONFIG belong to a process.
"""

import json
import sys
import threading

REPLICAS = 2


def main(videos, trainings):
    import tensorflow as tf

    if any(options["strategy"] == "mirrored" for options in trainings.values()):
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * REPLICAS,
        )
    from kinetics_i3d_tf2.training import distribution

    # Two of a kind in one process take each other's messages.
    made = {}
    for folder, options in trainings.items():
        name = options.pop("strategy")
        made[name] = made.get(name) or distribution.create(name)
        train(videos, folder, made[name], **options)


def train(
    videos,
    folder,
    strategy,
    *,
    gradient_accumulation_steps=1,
    checkpoint_every=5,
    **options,
):
    from kinetics_i3d_tf2 import read_folder
    from kinetics_i3d_tf2.data import clip_recipe
    from kinetics_i3d_tf2.training import fit

    table = read_folder(videos)
    data = fit.Data(table.split("train"), table.split("val"), table.class_names)
    recipe = clip_recipe.TrainingRecipe(
        clip=clip_recipe.ClipRecipe(num_frames=9, short_side=200, crop_size=200),
        **{
            "steps": 5,
            "batch_size": 4,
            "rates": ((0, 0.1),),
            "dropout_rate": 0.0,
            "batch_norm": "frozen",
            **options,
        },
    )
    run = fit.Run(
        folder,
        checkpoint_every,
        width=1 / 16,
        gradient_accumulation_steps=gradient_accumulation_steps,
    )
    fit.train(recipe, data, run, strategy=strategy, stop=threading.Event())


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
