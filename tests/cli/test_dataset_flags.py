"""The flags that name a dataset."""

import sys

import programs
import pytest

from kinetics_i3d_tf2.data import clips


@pytest.fixture
def describe():
    """Prints the classes and the sizes of the splits of the dataset that flags name."""

    def run(*arguments):
        def function():
            from kinetics_i3d_tf2.cli import program
            from kinetics_i3d_tf2.cli.flags import dataset_flags

            def main(argv):
                dataset = dataset_flags.read_dataset()
                print(dataset.class_names)
                for split in dataset.splits():
                    print(split, len(dataset.split(split)))

            sys.argv = ["describe", *map(str, arguments)]
            program.run(main, module=dataset_flags)

        return programs.run_function(function)

    return run


@pytest.fixture
def videos(tmp_path):
    for split, count in {"train": 3, "val": 1}.items():
        for name in ("jump", "wave"):
            folder = tmp_path / "videos" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{number}.mp4").touch()
    return tmp_path / "videos"


def test_a_folder(describe, videos):
    done = describe("--dataset=folder", f"--videos={videos}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["('jump', 'wave')", "train 6", "val 2"]


def test_several_lists_are_one_dataset(describe, tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.mp4").touch()
    (tmp_path / "train.csv").write_text("path,label\na.mp4,jump\nb.mp4,wave\n")
    (tmp_path / "val.csv").write_text("path,label,split\nc.mp4,wave,val\n")
    lists = f"{tmp_path}/train.csv,{tmp_path}/val.csv"
    done = describe("--dataset=csv", f"--annotations={lists}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["('jump', 'wave')", "train 2", "val 1"]


def test_records(describe, tmp_path):
    import tensorflow as tf

    (tmp_path / "label_map.txt").write_text("jump\nwave\n")
    for name, count in {"train": 3, "validate": 2}.items():
        path = tmp_path / f"kinetics_700_{name}_25fps_rgb_flow-00000-of-00001"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for _ in range(count):
                writer.write(b"anything")
    done = describe(f"--records={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["('jump', 'wave')", "train 3", "validate 2"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "specify either --records=FOLDER or --dataset="),
        (["--dataset=folder", "--records={}"], "specify either --records=FOLDER or"),
        (["--records={}", "--videos=x"], "--videos does not go with --records"),
        (["--records={}/none"], "/none: there is no such folder of records"),
        (["--records={}"], "has no record files; expected names as i3d prepare writes"),
        (["--dataset=folder", "--videos={}"], "has no videos in folders named after"),
    ],
)
def test_errors(describe, tmp_path, arguments, message):
    (tmp_path / "label_map.txt").write_text("jump\n")
    done = describe(*[a.format(tmp_path) for a in arguments])
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]


def test_joined_tables_have_the_classes_of_all():
    first = clips.Table((clips.Clip("a", "wave", 0),), ("wave",), ("gone",))
    second = clips.Table((clips.Clip("b", "jump", 0),), ("jump",))
    joined = clips.join([first, second])
    assert joined.class_names == ("jump", "wave")
    assert [clip.index for clip in joined] == [1, 0]
    assert joined.missing == ("gone",)
    assert clips.join([first, first]).class_names == ("wave",)


@pytest.mark.parametrize("program", ["prepare", "evaluate", "train"])
def test_programs_explain_these_flags(program):
    help_text = programs.run(program, "--help").stdout
    for flag in ("dataset", "videos", "annotations", "split_number"):
        assert f"  --{flag}:\n" in help_text
