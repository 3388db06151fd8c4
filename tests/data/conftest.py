import pytest
import record_files
from videos import brightness_frames, write_video

from kinetics_i3d_tf2.data.clips import Clip


@pytest.fixture(scope="package")
def videos(tmp_path_factory):
    """Ten clips of 40 frames, 48x36; brightness tells the frame."""
    folder = tmp_path_factory.mktemp("videos")
    clips = []
    for number in range(10):
        frames = brightness_frames(40, (48, 36))
        path = write_video(folder / f"{number}.mkv", frames, codec="ffv1")
        clips.append(Clip(str(path), f"class {number}", number))
    return clips


@pytest.fixture(scope="package")
def records(videos, tmp_path_factory):
    """The same clips as records."""
    path = tmp_path_factory.mktemp("records") / "train-00000-of-00001"
    return record_files.write_records(path, videos)
