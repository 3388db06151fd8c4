"""Writes the pages of the API reference: the public names, then a page a folder."""

import importlib
import pkgutil

from mkdocs.structure.files import File

import kinetics_i3d_tf2

_NAME = kinetics_i3d_tf2.__name__
_NOT_AN_API = {"cli"}


def on_files(files, config):
    """Adds the generated pages to those of the folder docs."""
    pages = {"index": _public_names()}
    for room in pkgutil.iter_modules(kinetics_i3d_tf2.__path__):
        if room.ispkg and room.name not in _NOT_AN_API:
            pages[room.name] = f"# `{_NAME}.{room.name}`\n\n{_all_of(room.name)}"
    for name, content in pages.items():
        path = f"reference/{name}.md"
        files.append(File.generated(config, path, content=content))
    return files


def _public_names():
    lines = ["# Public names", "", "Each is an attribute of the package:", ""]
    lines += ["```python", f"import {_NAME} as i3d", "```", ""]
    homes = sorted(kinetics_i3d_tf2._HOMES.items(), key=lambda item: item[0].lower())
    lines += [f"- [`i3d.{name}`][{_NAME}.{home}.{name}]" for name, home in homes]
    return "\n".join(lines) + "\n"


def _all_of(room):
    package = importlib.import_module(f"{_NAME}.{room}")
    return "\n".join(
        f"::: {_NAME}.{room}.{module.name}\n"
        for module in pkgutil.iter_modules(package.__path__)
    )
