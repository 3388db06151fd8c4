"""The package's face: what it names, and what it needs."""

import pydoc
import re

import pytest


def test_videos_and_facts_of_checkpoints_need_neither_tensorflow_nor_keras(python):
    code = (
        "import sys, kinetics_i3d_tf2 as i3d; i3d.read_video, i3d.optical_flow;"
        "assert i3d.Checkpoint('checkpoints/demo_rgb').describe();"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_package_exports_what_it_lists():
    import kinetics_i3d_tf2

    for name in dir(kinetics_i3d_tf2):
        assert getattr(kinetics_i3d_tf2, name) is not None
    assert {"InceptionI3d", "train", "__version__"} < {*dir(kinetics_i3d_tf2)}
    assert not {"importlib", "serialization"} & {*dir(kinetics_i3d_tf2)}
    with pytest.raises(AttributeError, match="no attribute 'Inception'"):
        kinetics_i3d_tf2.Inception  # noqa: B018


def test_help_is_short_and_names_what_is_there():
    import kinetics_i3d_tf2

    text = pydoc.plain(pydoc.render_doc(kinetics_i3d_tf2))
    assert len(text.splitlines()) < 70
    (by_job,) = re.findall(r"By job:\n(.*?)\n\n\S", kinetics_i3d_tf2.__doc__, re.S)
    shown = re.findall(r"\w+(?=[,\n]|$)", re.sub(r"- [\w ]+: ", "", by_job))
    assert len(shown) > 30 and {*shown} < {*dir(kinetics_i3d_tf2)}


PROGRAM = """
import pathlib

import numpy as np

import kinetics_i3d_tf2 as i3d

classifier = i3d.Classifier("demo_rgb")
label, probability = classifier("clip.mp4", top=1)[0]
reveal_type((label, probability))
several = classifier([pathlib.Path("a.mp4"), pathlib.Path("b.mp4")])
reveal_type(several[0][0])
of_frames: list[tuple[str, float]] = classifier(np.zeros((16, 224, 224, 3), "uint8"))
version: str = i3d.__version__
reveal_type(i3d.read_folder("videos").class_names)
i3d.read_folder(1)
i3d.Clasifier
"""


@pytest.mark.slow
def test_type_checkers_see_the_names(python, tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    done = python("-m", "mypy", f"--cache-dir={tmp_path / 'cache'}", path)
    *revealed, wrong, unknown, last = done.stdout.replace("builtins.", "").splitlines()
    assert [line.partition(" note: ")[2] for line in revealed] == [
        'Revealed type is "tuple[str, float]"',
        'Revealed type is "tuple[str, float]"',
        'Revealed type is "tuple[str, ...]"',
    ]
    assert [error.partition(" error: ")[2] for error in (wrong, unknown)] == [
        'Argument 1 to "read_folder" has incompatible type "int"; expected '
        '"str | PathLike[Any]"  [arg-type]',
        'Module has no attribute "Clasifier"; maybe "Classifier"?  [attr-defined]',
    ]
    assert last == "Found 2 errors in 1 file (checked 1 source file)"


def test_values_show_themselves_in_a_line(tmp_path):
    import numpy as np

    import kinetics_i3d_tf2 as i3d

    for split, count in {"train": 2, "val": 1}.items():
        for number in range(count):
            path = tmp_path / split / "run" / f"{number}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    table = i3d.read_folder(tmp_path)
    data = i3d.TrainingData(table.split("train"), (), table.class_names)
    scores = i3d.Scores(np.array([1.0, 0.0]), ("run", "jump"), {}, (0.0, 2.5))
    assert [*map(repr, (table, data, scores, i3d.Classifier("demo_rgb")))] == [
        "Table(1 classes; clips: train 2, val 1)",
        "TrainingData(1 classes; 2 clips to train on, 0 to validate)",
        "Scores(run 0.7311, jump 0.2689; of 2 classes; seconds 0 to 2.5)",
        "Classifier(rgb; 8 classes; float32)",
    ]
    shown = repr(i3d.Checkpoint("checkpoints/demo_rgb"))
    assert shown.startswith("Checkpoint('checkpoints/demo_rgb/model.ckpt': 230 ")
