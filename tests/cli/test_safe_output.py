"""Names of files and classes never act on the terminal that shows them."""

import io

import programs
import pytest

from kinetics_i3d_tf2.cli.safe_output import SafeOutput

ESCAPE = "\x1b[2J\x1b]0;title\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\r\nc\n", "a\tb\r\nc\n"),
        (ESCAPE, r"\x1b[2J\x1b]0;title\x07"),
        ("a\rb", r"a\rb"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("caf\udce9", r"caf\udce9"),
        ("跳\n", "跳\n"),
    ],
)
def test_control_characters_are_shown(text, shown):
    stream = io.StringIO(newline="")
    output = SafeOutput(stream)
    print(text, end="", file=output)
    output.writelines([text])
    assert stream.getvalue() == shown + shown


def test_letters_that_a_terminal_lacks():
    raw = io.BytesIO()
    output = SafeOutput(io.TextIOWrapper(raw, "ascii"))
    print("Übung", file=output, flush=True)
    assert raw.getvalue() == b"\\xdcbung\n"
    assert output.encoding == "ascii"


def test_errors_and_logs_of_a_program(tmp_path):
    name = f"a{ESCAPE}.mp4"
    (tmp_path / name).write_bytes(b"no video")
    done = programs.run("prepare", "--dataset=csv", f"--annotations={tmp_path / name}",
                        f"--out={tmp_path}/out")  # fmt: skip
    assert done.returncode == 2
    assert r"\x1b[2J" in done.stderr and "\x1b" not in done.stderr
    (tmp_path / "list.csv").write_text(f"path,label\n{name},x{ESCAPE}\nno.mp4,y\n")
    done = programs.run("prepare", "--dataset=csv",
                        f"--annotations={tmp_path / 'list.csv'}", "--flow=none",
                        f"--out={tmp_path}/out")  # fmt: skip
    assert "\x1b" not in done.stderr + done.stdout
    assert r"a\x1b[2J" in done.stderr  # The warning of the clip that was left out.


def test_a_folder_that_cannot_be_written_is_found_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "list.csv").write_text("path\n/dev/null\n")
    for name, flags in {
        "prepare": ["--dataset=csv", f"--annotations={tmp_path}/list.csv"],
        "demo": ["make"],
        "inflate": ["--from=nothing.ckpt"],
    }.items():
        out = tmp_path / "file" / "out"
        where = [out] if name == "demo" else [f"--out={out}"]
        done = programs.run(name, *flags, *where)
        assert done.returncode == 2, name
        assert done.stderr.count("\n") == 1
        assert f"{out}: cannot be written: {tmp_path}/file is a file" in done.stderr
