import pytest

from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint
from kinetics_i3d_tf2.checkpoints.info import (
    Contents,
    Entry,
    contents_of,
    describe,
    width_of,
)
from kinetics_i3d_tf2.models.architecture import unit_filters

RELEASED = {
    "rgb_imagenet": (3, 400, "RGB", 230, 0),
    "rgb_scratch": (3, 400, "RGB", 230, 0),
    "flow_imagenet": (2, 400, "Flow", 230, 0),
    "flow_scratch": (2, 400, "Flow", 230, 0),
    "rgb_scratch_kin600": (3, 600, "none", 230, 116),
}


@pytest.mark.parametrize("name", RELEASED)
def test_released_index_files(shared, name):
    _, classes, scope, variables, slots = RELEASED[name]
    entries = Checkpoint(shared / "release" / "checkpoints" / name).variables
    assert len(entries) == variables + slots
    assert sum(entry.is_slot for entry in entries) == slots
    line = describe(entries)
    assert f"{classes} classes, scope {scope}; like " in line
    assert name in line.split("like ")[1]


@pytest.mark.parametrize("scope", ["convnet_lstm", "c3d", "two_stream", "fused"])
def test_scopes_of_other_architectures_are_no_part_of_names(scope):
    assert Entry(f"{scope}/RGB/w", (), "float32").sonnet_name == "RGB/w"


def entries_of(width, classes=7):
    filters = {f"{n}/conv_3d/w": f for n, f in unit_filters(width).items()}
    entries = [
        Entry(name, (1, 1, 1, 3, count), "float32") for name, count in filters.items()
    ]
    return [*entries, Entry("Logits/Conv3d_0c_1x1/conv_3d/b", (classes,), "float32")]


@pytest.mark.parametrize("width", [1.0, 1 / 2, 1 / 3, 1 / 12, 0.1, 0.35, 2.0])
def test_the_width_is_inferred_from_shapes(width):
    contents = contents_of(entries_of(width), "it")
    assert contents[:3] == ("i3d", "rgb", 7)
    inferred = width_of(contents)
    assert unit_filters(inferred) == unit_filters(width)
    assert inferred == pytest.approx(width)


def test_a_checkpoint_of_no_model():
    entries = [Entry("conv1/w", (3, 3, 3, 8), "float32")]
    with pytest.raises(ValueError, match="it: is not a checkpoint of one of i3d, conv"):
        contents_of(entries, "it")
    assert describe(entries).startswith("1 variables; is not a checkpoint of one of")


def test_slots_are_counted_apart():
    entries = entries_of(1 / 2)
    slots = [entry._replace(name=f"{entry.name}/Momentum") for entry in entries]
    line = describe([*entries, *slots])
    assert line.startswith(
        f"{len(entries)} variables and {len(slots)} optimizer slots; "
    )
    assert isinstance(contents_of([*entries, *slots], "it"), Contents)
