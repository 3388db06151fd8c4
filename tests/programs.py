"""Runs a program of this project many times in one process of its own.

Starting one takes as long as all the rest.
"""

import contextlib
import json
import os
import subprocess
import sys

from conftest import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

_SERVER = """
import contextlib, importlib, io, json, sys
from absl import flags, logging
from kinetics_i3d_tf2 import program
name = sys.argv[1]
module = importlib.import_module("kinetics_i3d_tf2." + name)
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
    """Gives a function from arguments to exit status, output and standard error."""
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
