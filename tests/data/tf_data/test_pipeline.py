"""Training and evaluation pipelines, on small videos and records of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from record_files import write_records
from videos import brightness_frames, frame_numbers, write_video

from kinetics_i3d_tf2 import InceptionI3d
from kinetics_i3d_tf2.data.clip_recipe import ClipRecipe
from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.data.records import shards, tfrecord
from kinetics_i3d_tf2.data.records.image_coding import Coding
from kinetics_i3d_tf2.data.tf_data import pipeline
from kinetics_i3d_tf2.video import optical_flow, transforms

# Frames are left as they are: 36 pixels, of which 24 are cut out.
SMALL = {"num_frames": 8, "short_side": 36, "crop_size": 24}
NUM_CLIPS = 10


def small_recipe(**changes):
    return ClipRecipe(**{**SMALL, **changes})


@pytest.fixture(scope="module", params=["videos", "records"])
def sources(request):
    return request.getfixturevalue(request.param)


def batches(sources, count, *, recipe=None, **options):
    options = {"batch_size": 4, "seed": 7, **options}
    dataset = pipeline.for_training(sources, recipe or small_recipe(), **options)
    return [tuple(map(np.asarray, batch)) for batch in dataset.take(count)]


def assert_equal(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for x, y in zip(one, other, strict=True):
            np.testing.assert_array_equal(x, y)


def test_training_batches(sources):
    (clip, label), *_ = batches(sources, 1)
    assert clip.shape == (4, 8, 24, 24, 3)
    assert clip.dtype == np.float32
    assert label.dtype == np.int64
    for one in clip:
        numbers = frame_numbers(one)
        assert (np.diff(numbers) == 1).all()
        assert 0 <= numbers[0] <= 32


def test_every_clip_comes_once_an_epoch_in_another_order(sources):
    labels = np.concatenate([y for _, y in batches(sources, 6, batch_size=5)])
    epochs = labels.reshape(3, NUM_CLIPS)
    for epoch in epochs:
        assert sorted(epoch) == list(range(NUM_CLIPS))
    assert not (epochs[0] == epochs[1]).all()


@pytest.mark.parametrize("seed", [0, 2**40, -1])
def test_small_datasets_are_shuffled(records, seed):
    """No clip keeps its place, as a shuffle of few rounds and bits would leave it."""
    labels = np.concatenate(
        [y for _, y in batches(records, 15, batch_size=10, seed=seed)]
    ).reshape(15, NUM_CLIPS)
    kept = (labels == np.arange(NUM_CLIPS)).sum(axis=1)
    assert 0.4 < kept.mean() < 1.9  # One of ten, give or take.
    assert len({tuple(epoch) for epoch in labels}) == 15


def test_starts_are_random_and_early_enough(sources):
    clips = np.concatenate([x for x, _ in batches(sources, 30)])
    starts = [frame_numbers(clip)[0] for clip in clips]
    assert min(starts) <= 3 and max(starts) >= 29 and max(starts) <= 32


def test_runs_of_one_seed_are_equal(sources):
    assert_equal(batches(sources, 4), batches(sources, 4))


def test_runs_of_other_seeds_differ(sources):
    assert (batches(sources, 1)[0][0] != batches(sources, 1, seed=8)[0][0]).any()


@pytest.mark.parametrize("step", [1, 3])
def test_training_goes_on_at_any_step(sources, step):
    assert_equal(
        batches(sources, 4)[step:], batches(sources, 4 - step, start_step=step)
    )


def test_shards_are_parts_of_the_whole_batch(sources):
    whole = batches(sources, 3)
    parts = [batches(sources, 3, shard=(number, 2)) for number in range(2)]
    joined = [
        tuple(np.concatenate(pair) for pair in zip(*two, strict=True))
        for two in zip(*parts, strict=True)
    ]
    assert_equal(whole, joined)


@pytest.mark.parametrize("stream", ["rgb", "flow", "joint"])
def test_streams(sources, stream):
    (batch,) = pipeline.for_training(
        sources, small_recipe(stream=stream), batch_size=2, seed=0
    ).take(1)
    clip, _ = batch
    shapes = {"rgb": (2, 8, 24, 24, 3), "flow": (2, 8, 24, 24, 2)}
    if stream == "joint":
        assert {name: tuple(c.shape) for name, c in clip.items()} == shapes
    else:
        assert tuple(clip.shape) == shapes[stream]


def test_short_clips_are_looped(tmp_path):
    path = write_video(tmp_path / "a.mkv", brightness_frames(3, (48, 36)), codec="ffv1")
    (clip, _), *_ = batches([Clip(str(path), "a", 0)], 1, batch_size=1)
    assert frame_numbers(clip[0]).tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def evaluation(sources, **options):
    recipe = small_recipe(**options.pop("recipe", {}))
    dataset = pipeline.for_evaluation(sources, recipe, **options)
    return [tuple(map(np.asarray, batch)) for batch in dataset]


def test_evaluation_of_whole_clips(sources):
    found = evaluation(sources)
    assert [label.tolist() for _, label in found] == [[n] for n in range(NUM_CLIPS)]
    for clip, _ in found:
        assert clip.shape == (1, 40, 24, 24, 3)
        assert frame_numbers(clip[0]).tolist() == list(range(40))


def test_evaluation_of_views(sources):
    found = evaluation(sources[:2], views=(3, 1), batch_size=2)
    clips = np.concatenate([clip for clip, _ in found])
    labels = np.concatenate([label for _, label in found])
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    starts = [frame_numbers(clip)[0] for clip in clips]
    assert starts == [0, 16, 32] * 2


@pytest.mark.parametrize(
    ("size", "offsets"),
    [((48, 36), [(6, 0), (6, 12), (6, 24)]), ((36, 48), [(0, 6), (12, 6), (24, 6)])],
    ids=["wide", "high"],
)
def test_evaluation_crops(tmp_path, size, offsets):
    """Three crops along the long side; one is the centre, as center_crop's."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (9, size[1], size[0], 3), dtype=np.uint8)
    path = write_video(tmp_path / "a.mkv", frames, codec="ffv1", pixel_format="bgr0")
    sources = [Clip(str(path), "a", 0)]
    ((clips, _),) = evaluation(sources, views=(1, 3), batch_size=3)
    wanted = transforms.normalize_rgb(frames)
    for clip, (top, left) in zip(clips, offsets, strict=True):
        expected = wanted[:8, top : top + 24, left : left + 24]
        np.testing.assert_allclose(clip, expected, atol=1e-6)
    ((clip, _),) = evaluation(sources)
    expected = transforms.center_crop(wanted, 24)
    np.testing.assert_allclose(clip[0], expected, atol=1e-6)


def test_evaluation_joint(sources):
    dataset = pipeline.for_evaluation(sources[:1], small_recipe(stream="joint"))
    ((clip, _),) = dataset
    assert clip["rgb"].shape == (1, 40, 24, 24, 3)
    assert clip["flow"].shape == (1, 39, 24, 24, 2)
    motion = clip["flow"].numpy()
    assert np.abs(motion).max() <= optical_flow.FLOW_BOUND


def test_evaluation_loops_short_clips(tmp_path):
    path = write_video(tmp_path / "a.mkv", brightness_frames(3, (48, 36)), codec="ffv1")
    ((clip, _),) = evaluation([Clip(str(path), "a", 0)])
    assert frame_numbers(clip[0]).tolist() == [0, 1, 2] * 3
    ((clip, _),) = evaluation([Clip(str(path), "a", 0)], views=(1, 1))
    assert frame_numbers(clip[0]).tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


@pytest.fixture(scope="module")
def half_corrupt(videos, tmp_path_factory):
    """200 clips, of which 100 are corrupt in several ways; as videos and records."""
    folder = tmp_path_factory.mktemp("corrupt")
    good = open(videos[0].path, "rb").read()
    bad = [b"", b"no video", good[:2000], good[: len(good) // 2]]
    clips = []
    for number in range(200):
        path = folder / f"{number}.mkv"
        if number % 2:
            path.write_bytes(bad[number // 2 % len(bad)])
        else:
            path.symlink_to(videos[number // 2 % NUM_CLIPS].path)
        clips.append(Clip(str(path), "a", number % 2))
    record = shards.encode_clip(videos[0], shards.Settings(False, 36, Coding("png")))[0]
    path = folder / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(200):
            writer.write(record)
    records = tfrecord.find_records([path])
    content = bytearray(path.read_bytes())
    for bad_record in records[1::2]:
        content[bad_record.offset + bad_record.length // 2] ^= 0xFF
    path.write_bytes(content)
    return {"videos": clips, "records": records}


@pytest.mark.parametrize("kind", ["videos", "records"])
def test_100_corrupt_clips_among_200(half_corrupt, kind, caplog):
    sources = half_corrupt[kind]
    found = batches(sources, 25, recipe=small_recipe(max_damaged=0.5), batch_size=8)
    assert len(found) == 25
    assert "Skipping a clip (1 of 200 so far): " in caplog.text
    skipped = [r for r in caplog.records if "Skipping a clip" in r.message]
    # Each is named once, however often it is met.
    assert 50 < len(skipped) <= 100
    assert len({r.message.split(": ", 1)[1] for r in skipped}) == len(skipped)
    again = batches(sources, 25, recipe=small_recipe(max_damaged=0.5), batch_size=8)
    assert_equal(found, again)


@pytest.mark.parametrize("kind", ["videos", "records"])
def test_evaluation_leaves_corrupt_clips_out(half_corrupt, kind, caplog):
    recipe = {"max_damaged": 0.5}
    found = evaluation(half_corrupt[kind], recipe=recipe, views=(1, 1), batch_size=10)
    assert sum(len(label) for _, label in found) == 100
    assert "Skipping a clip (100 of 200 so far): " in caplog.text


@pytest.mark.parametrize("kind", ["videos", "records"])
def test_more_corrupt_clips_than_allowed_are_an_error(half_corrupt, kind):
    # 21, or some more, as clips are read side by side.
    message = r"2\d of 200 clips cannot be read, more than max_damaged=0\.1; the last: "
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        batches(half_corrupt[kind], 50)
    dataset = pipeline.for_evaluation(half_corrupt[kind], small_recipe())
    for _ in range(2):  # An error stays one when the cell is run again.
        with pytest.raises(
            tf.errors.InvalidArgumentError, match="cannot be read, more"
        ):
            list(dataset)


def test_records_without_flow(videos, tmp_path):
    records = write_records(tmp_path / "records", videos[:2], has_flow=False)
    message = "'0_0' has no optical flow, nor have the 1 others looked at; prepare it"
    with pytest.raises(ValueError, match=message):
        batches(records, 1, recipe=small_recipe(stream="flow"))


def test_some_records_without_flow(videos, tmp_path, caplog):
    lacking = write_records(tmp_path / "rgb", videos[:1], has_flow=False)
    records = lacking + write_records(tmp_path / "flow", videos[1:3])
    recipe = small_recipe(stream="flow", max_damaged=0.5)
    labels = np.concatenate([y for _, y in batches(records, 2, recipe=recipe)])
    assert set(labels) == {1, 2}
    assert "Skipping a clip (1 of 3 so far): " in caplog.text
    assert "has no optical flow" in caplog.text


@pytest.mark.parametrize(("kind", "stream"), [("videos", "rgb"), ("records", "flow")])
def test_fit_and_evaluate_take_them_as_they_are(request, kind, stream):
    """`model.fit` with a small model that has the model's kind of input."""
    sources = request.getfixturevalue(kind)
    recipe = small_recipe(stream=stream)
    channels = {"rgb": 3, "flow": 2}[stream]
    model = keras.Sequential(
        [
            keras.Input((None, 24, 24, channels)),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(NUM_CLIPS),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    training = pipeline.for_training(sources, recipe, batch_size=4, seed=0)
    testing = pipeline.for_evaluation(sources, recipe, views=(2, 1), batch_size=4)
    history = model.fit(
        training,
        steps_per_epoch=2,
        epochs=2,
        validation_data=testing,
        shuffle=False,  # Keras warns that it leaves shuffling to the dataset.
        verbose=0,
    )
    assert np.isfinite(history.history["loss"]).all()
    assert len(history.history["val_accuracy"]) == 2


@pytest.mark.slow
def test_fit_of_the_model_itself(tmp_path):
    """Real sizes: 224 pixels, batch norm and all, loss falls."""
    clips = []
    for label in range(2):
        frames = np.full((20, 256, 340, 3), 60 + 120 * label, np.uint8)
        clips.append(
            Clip(str(write_video(tmp_path / f"{label}.mp4", frames)), "", label)
        )
    model = InceptionI3d(num_classes=2, width=1 / 16, dropout_rate=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05), loss)
    dataset = pipeline.for_training(
        clips, ClipRecipe(num_frames=16), batch_size=2, seed=0
    )
    losses = model.fit(dataset, steps_per_epoch=3, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size a multiple of workers. Received: shard"),
        ({"shard": (0, 3)}, "batch_size a multiple of workers"),
        ({"shard": (2, 2)}, r"Received: shard=\(2, 2\), batch_size=4"),
    ],
)
def test_bad_arguments_of_training(videos, options, message):
    with pytest.raises(ValueError, match=message):
        batches(videos, 1, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 2}, "set batch_size=1, or views"),
        ({"views": (0, 1)}, r"\(temporal clips, spatial crops\). Received: \(0, 1\)"),
        ({"views": (1, 2, 3)}, "views are"),
    ],
)
def test_bad_arguments_of_evaluation(videos, options, message):
    with pytest.raises(ValueError, match=message):
        evaluation(videos, **options)


@pytest.mark.parametrize("sources", ["videos", ["a.mp4"]], ids=str)
def test_what_is_no_dataset(sources):
    with pytest.raises(ValueError, match="Expected a table of clips .* Received: .*"):
        batches(sources, 1)


def test_a_dispatcher_that_is_not_there(videos):
    with pytest.raises(OSError, match="grpc://localhost:1: nothing answers there"):
        batches(videos, 1, data_service="grpc://localhost:1")
    with pytest.raises(ValueError, match="grpc://host:port. Received: 'localhost:1'"):
        batches(videos, 1, data_service="localhost:1")


def test_what_cannot_be_trained_on(videos, records):
    with pytest.raises(ValueError, match="is of clips or of records, not of both"):
        batches([*videos, *records], 1)
    with pytest.raises(ValueError, match="There are no clips in the dataset"):
        batches([], 1)
    unlabelled = [videos[0]._replace(index=-1), videos[1]]
    with pytest.raises(ValueError, match="1 clips have no label, the first is .*0.mkv"):
        batches(unlabelled, 1)
