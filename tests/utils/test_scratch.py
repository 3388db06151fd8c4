import os
import subprocess
import sys
import tempfile

from kinetics_i3d_tf2.utils import scratch
from kinetics_i3d_tf2.utils.scratch import temporary_folder


def test_what_a_killed_process_left_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import os; from kinetics_i3d_tf2.utils.scratch import temporary_folder\n"
        "folder = temporary_folder(); open(folder.name + '/a', 'w').write('x')\n"
        "os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment)
    (left,) = tmp_path.iterdir()
    for name in ("i3d-imported", "i3d-other-1-x", "tmpabc"):
        (tmp_path / name).mkdir()
    with temporary_folder() as folder, temporary_folder() as another:
        assert folder != another
        assert not left.exists()
        kept = {"i3d-imported", "i3d-other-1-x", "tmpabc"}
        found = {path.name for path in tmp_path.iterdir()}
        assert found == {*kept, os.path.basename(folder), os.path.basename(another)}
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_folders_next_to_what_is_written(tmp_path):
    dead = tmp_path / f".i3d-{scratch._HOST}-{2**22 + 1}-abc"  # Above any process.
    dead.mkdir()
    with scratch.temporary_folder(tmp_path) as folder:
        assert os.path.dirname(folder) == str(tmp_path)
        assert os.path.basename(folder)[0] == "."
        assert not dead.exists()
    assert not list(tmp_path.iterdir())
