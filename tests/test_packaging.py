import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

from kinetics_i3d_tf2.checkpoints import pretrained

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, unpacked where no checkout is."""
    folder = tmp_path_factory.mktemp("packaging")
    source = folder / "source"
    for name in ("kinetics_i3d_tf2", "checkpoints", "data"):
        shutil.copytree(ROOT / name, source / name, symlinks=True)
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source / name)
    for stray in ("checkpoints/downloaded", "data/downloaded.mp4"):
        path = source / stray
        path.parent.mkdir(exist_ok=True)
        path.write_text("downloaded, not packaged")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run(
        [*build, "--outdir", folder, source], check=True, capture_output=True
    )
    (wheel,) = folder.glob("kinetics_i3d_tf2-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    shutil.rmtree(source)
    return folder / "installed"


def run(installed, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=installed, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_works_without_the_checkout(installed):
    package = installed / "kinetics_i3d_tf2"
    for name in ("visualization/clip_page.html", "py.typed", "__init__.pyi"):
        assert (package / name).exists(), name
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "import kinetics_i3d_tf2 as i3d\n"
        f"assert i3d.__file__.startswith({str(installed)!r}), i3d.__file__\n"
        "assert i3d.class_names(600)[599] == 'zumba'\n"
        "assert i3d.InceptionI3d(width=1 / 16).count_params() > 0\n"
        "assert i3d.load_model('demo_flow').num_classes == 8\n"
    )
    run(installed, "-c", code)


def test_wheel_contains_the_demonstration_and_nothing_downloaded(installed):
    package = installed / "kinetics_i3d_tf2"
    weights = {path.name for path in (package / "checkpoints/demonstration").iterdir()}
    assert weights == set(pretrained.demonstration_names())
    clips = {path.name for path in (package / "demo" / "clips").iterdir()}
    assert clips == {path.name for path in (ROOT / "data").glob("demo_*.mp4")}
    shown = run(installed, "-m", "kinetics_i3d_tf2", "classify", "--weights=demo",
                "--eval_type=rgb")  # fmt: skip
    assert shown.splitlines()[3].endswith(" opening a door")
