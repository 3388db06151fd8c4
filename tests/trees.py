"""Makes small trees of files for tests."""


def tree(root, files):
    """Makes files; a value is a file's content."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root
