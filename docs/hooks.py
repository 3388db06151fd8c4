"""Pages of the API reference: the public names, then one page per folder.

Docstring sections that griffe does not recognize end up as plain text. They are warned
about, which is an error of a strict build.
"""

import importlib
import logging
import pkgutil
import re
from pathlib import Path

import griffe
from mkdocs.structure.files import File

import kinetics_i3d_tf2

_NAME = kinetics_i3d_tf2.__name__
_NOT_AN_API = {"cli"}
_LOG = logging.getLogger("mkdocs.hooks.docstrings")
# A section that was not parsed: `Args, Raises: as ...`, `Example:` without indentation.
_SECTION = re.compile(
    r"^\s*(?:>>>|(?:Args|Returns|Raises|Yields|Examples?)(?:, \w+)*:)"
)


def on_pre_build(config):
    """Checks that every section of every docstring is parsed."""
    for item in _members(_load()):
        for section in item.docstring.parse("google", warnings=False):
            if section.kind is not griffe.DocstringSectionKind.text:
                continue
            for line in filter(_SECTION.match, section.value.split("\n")):
                _LOG.warning("%s: this is no section: %s", item.path, line.strip())


def _load():
    return griffe.load(_NAME, search_paths=[Path(kinetics_i3d_tf2.__file__).parents[1]])


def _members(item):
    if item.docstring:
        yield item
    for member in item.members.values():
        if not member.is_alias and member.name not in _NOT_AN_API:
            yield from _members(member)


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
    lines = [
        "# Public names",
        "",
        "Each is an attribute of the package, imported when it is first used:",
        "",
    ]
    lines += ["```python", f"import {_NAME} as i3d", "```", ""]
    homes = sorted(kinetics_i3d_tf2._HOMES.items(), key=lambda item: item[0].lower())
    lines += ["| name | what it is |", "|---|---|"]
    package = _load()
    for name, home in homes:
        summary = package[f"{home}.{name}"].docstring.value.split("\n")[0]
        lines.append(f"| [`{name}`][{_NAME}.{home}.{name}] | {summary} |")
    return "\n".join(lines) + "\n"


def _all_of(room):
    package = importlib.import_module(f"{_NAME}.{room}")
    return "\n".join(
        f"::: {_NAME}.{room}.{module.name}\n"
        for module in pkgutil.iter_modules(package.__path__)
    )
