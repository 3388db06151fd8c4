import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_wheel_works_without_the_checkout(tmp_path):
    source = tmp_path / "source"
    for name in ("kinetics_i3d_tf2", "setup.py", "pyproject.toml", "README.md"):
        path = ROOT / name
        source.mkdir(exist_ok=True)
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run(
        [*build, "--outdir", tmp_path, source], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("kinetics_i3d_tf2-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    assert (
        installed / "kinetics_i3d_tf2" / "visualization" / "clip_page.html"
    ).exists()
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "import kinetics_i3d_tf2 as i3d\n"
        f"assert i3d.__file__.startswith({str(installed)!r}), i3d.__file__\n"
        "assert i3d.class_names(600)[599] == 'zumba'\n"
        "assert i3d.InceptionI3d(width=1 / 16).count_params() > 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
