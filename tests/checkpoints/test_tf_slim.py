import numpy as np
import pytest
import slim

from kinetics_i3d_tf2.checkpoints import tf_slim


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_both_formats_of_tensorflow_are_read(trunk, tmp_path, version):
    path = slim.write_slim(
        tmp_path / "a.ckpt", slim.slim_names(slim.weights_of(trunk)), version
    )
    assert path.exists() == (version == "V1")
    assert tf_slim.is_inception_v1(path)
    found = tf_slim.read_inception_v1(path)
    expected = slim.weights_of(trunk)
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def without(named):
    del named["InceptionV1/Mixed_3b/Branch_0/Conv2d_0a_1x1/weights"]


def with_scales(named):
    named["InceptionV1/Conv2d_1a_7x7/BatchNorm/gamma"] = np.ones(8, np.float32)


def of_another(named):
    named["InceptionV1/Mixed_6a/weights"] = np.ones(8, np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, "1 differences:\n  missing: Mixed_3b/Branch_0/Conv2d_0a_1x1/conv_2d"),
        (with_scales, "its batch norm has scales.*\n  unexpected: .*BatchNorm/gamma"),
        (of_another, "1 differences:\n  unexpected: InceptionV1/Mixed_6a/weights"),
    ],
)
def test_other_checkpoints_are_refused(trunk, tmp_path, change, message):
    named = slim.slim_names(slim.weights_of(trunk))
    change(named)
    path = slim.write_slim(tmp_path / "a.ckpt", named)
    with pytest.raises(ValueError, match=message):
        tf_slim.read_inception_v1(path)


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b" + bytes(100))
    with pytest.raises(ValueError, match="is no checkpoint of TensorFlow .an archive"):
        tf_slim.read_inception_v1(tmp_path / "a.tar.gz")
    with pytest.raises(ValueError, match="is a folder; name the checkpoint in it"):
        tf_slim.read_inception_v1(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no such checkpoint"):
        tf_slim.read_inception_v1(tmp_path / "b.ckpt")
    for name in ("a.tar.gz", "", "b.ckpt"):
        assert not tf_slim.is_inception_v1(tmp_path / name)
