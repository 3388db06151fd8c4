"""Folders that programs go on in."""

import json

import pytest

from kinetics_i3d_tf2.data.clips import Clip
from kinetics_i3d_tf2.utils import run_dir

SETTINGS = {"flip": True, "clips": 3, "coding": {"rgb": "jpeg", "flow": "png"}}


def test_the_settings_of_before_may_go_on(tmp_path):
    path = tmp_path / "settings.json"
    run_dir.keep_settings(path, SETTINGS, notes={"videos": "here"})
    content = path.read_text()
    run_dir.keep_settings(path, SETTINGS, notes={"videos": "moved"})
    assert path.read_text() == content
    assert json.loads(content) == {"settings": SETTINGS, "notes": {"videos": "here"}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flip": False}, "begun with flip True, now False. Use the same settings"),
        ({"coding": {"rgb": "png", "flow": "png"}}, "begun with rgb jpeg, now png"),
        ({"new": 1}, "begun with new None, now 1"),
    ],
)
def test_other_settings_may_not(tmp_path, changes, message):
    path = tmp_path / "settings.json"
    run_dir.keep_settings(path, SETTINGS)
    with pytest.raises(ValueError, match=message):
        run_dir.keep_settings(path, SETTINGS | changes)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"settings": 3}'])
def test_what_holds_no_settings(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="json: holds no settings of this program"):
        run_dir.keep_settings(path, SETTINGS)


def test_one_run_at_a_time(tmp_path):
    with run_dir.only_run(tmp_path):
        with pytest.raises(ValueError, match="another run is writing there"):
            with run_dir.only_run(tmp_path):
                pass
    with run_dir.only_run(tmp_path), run_dir.only_run("s3://bucket/folder"):
        pass


def test_a_digest_stays_when_the_folder_moves():
    def digest(folder, *names):
        return run_dir.digest(
            [[Clip(f"{folder}/{name}.mp4", "a", 0) for name in names]]
        )

    assert digest("/videos", "a/1", "b/2") == digest("s3://moved/here", "a/1", "b/2")
    assert digest("/videos", "a/1", "b/2") != digest("/videos", "b/2", "a/1")
    assert digest("/videos", "a/1") != digest("/videos", "a/2")


def test_settings_of_older_names_are_compared_by_todays(tmp_path):
    path = tmp_path / "settings.json"
    run_dir.keep_settings(path, {"parts": 2})

    def upgrade(older):
        return {"steps": older["parts"]}

    run_dir.keep_settings(path, {"steps": 2}, upgrade=upgrade)
    with pytest.raises(ValueError, match="was begun with steps 2, now 3"):
        run_dir.keep_settings(path, {"steps": 3}, upgrade=upgrade)
    path.write_text('{"settings": {}}')
    with pytest.raises(ValueError, match="holds no settings of this program"):
        run_dir.keep_settings(path, {"steps": 2}, upgrade=upgrade)


def test_atomic_folder(tmp_path):
    path = tmp_path / "checkpoints" / "1"
    (path.parent / ".1").mkdir(parents=True)
    (path.parent / ".1" / "left").touch()
    with run_dir.atomic_folder(path) as folder:
        (folder / "model").write_text("whole")
        assert not path.exists()
    assert [file.name for file in path.iterdir()] == ["model"]
    with pytest.raises(KeyError), run_dir.atomic_folder(tmp_path / "2") as folder:
        (folder / "model").write_text("half of the sec")
        raise KeyError
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoints"]


def test_what_killed_writers_left_is_cleared(tmp_path):
    left = [f".a.npz.{32 * '0'}", f"b/c/.d_times.npy.{32 * 'f'}", f".a.b.{32 * '1'}"]
    kept = [".a.npz.swp", "a.npz", f"a.{32 * '0'}", "b/.lock.txt", ".lock"]
    other = ["run/.lock", f"run/.a.npz.{32 * '0'}", "records/work/lock",
             f"records/.x-00000-of-00001.{32 * '0'}"]  # fmt: skip
    for name in (*left, *kept, *other):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    run_dir.clear_unfinished(tmp_path)
    run_dir.clear_unfinished("s3://bucket/folder")
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {*kept, *other}
