"""What the tests of drawn datasets share."""

import hashlib

import pytest


@pytest.fixture(scope="session")
def hashes():
    """Function from a folder to the hashes of its files, by their paths below it."""

    def of_folder(folder):
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

    return of_folder
