import programs
import pytest
import slim

from kinetics_i3d_tf2.checkpoints.checkpoint import Checkpoint


def test_the_program(tmp_path):
    weights = slim.weights_of(slim.images_network())
    path = slim.write_slim(tmp_path / "a.ckpt", slim.slim_names(weights))
    out = f"--out={tmp_path}/"
    done = programs.run("inflate", f"--from={path}", "--stream=flow", out)
    assert done.returncode == 0, done.stderr
    assert "model.ckpt: I3D's trunk of flow; train it with --init=" in done.stdout
    assert Checkpoint(tmp_path / "model.ckpt").stream == "flow"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from=nowhere", "--out=a"], "nowhere: there is no such checkpoint"),
        (["--out=a"], "--from is required"),
        (["--from=a", "--out=b", "--stream=joint"], "should be one of <rgb|flow>"),
    ],
)
def test_mistakes(arguments, message):
    done = programs.run("inflate", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
