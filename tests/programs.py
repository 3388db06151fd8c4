"""Runs programs of this project: many times in one process, or not to the end."""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

_SERVER = """
import contextlib, importlib, io, json, sys
from absl import flags, logging
from kinetics_i3d_tf2.cli import program
name = sys.argv[1]
module = importlib.import_module("kinetics_i3d_tf2.cli." + name)
handler = logging.get_absl_handler().python_handler
for line in sys.stdin:
    for flag in flags.FLAGS:
        flags.FLAGS[flag].unparse()
    sys.argv = [name + ".py", *json.loads(line)]
    out, error = io.StringIO(), io.StringIO()
    handler.stream = error
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            program.run(module.main)
        except SystemExit as status:
            code = status.code or 0
    print(json.dumps([code, out.getvalue(), error.getvalue()]), flush=True)
"""


@contextlib.contextmanager
def running(name):
    """Gives a function from arguments to exit status, output and standard error.

    All runs are in one process, as starting it takes as long as all the rest.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, name],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def send(*arguments):
        process.stdin.write(json.dumps([*map(str, arguments)]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    try:
        yield send
    finally:
        process.stdin.close()
        process.wait()


def stop_halfway(kind, folder, count, whole, name, *arguments, least=1):
    """Sends a program a signal while it is at work; gives its exit status and output.

    Args:
        kind: the signal.
        folder: what the program writes; removed before.
        count: gives how many of the program's results are there.
        whole: how many there are in the end.
        name: of the program's module.
        arguments: of the program.
        least: how many results to wait for.
    """
    for _ in range(5):  # On a busy machine this process may look too late.
        shutil.rmtree(folder, ignore_errors=True)
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                f"kinetics_i3d_tf2.cli.{name}",
                *map(str, arguments),
            ],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while process.poll() is None and count() < least:
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.05))
        process.send_signal(kind)
        output, _ = process.communicate(timeout=60)
        if process.returncode != 0 and least <= count() < whole:
            return process.returncode, output
    pytest.fail(f"It was never at work: {output}")
