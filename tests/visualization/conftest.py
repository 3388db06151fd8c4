"""A real browser, without a window."""

import shutil
import subprocess

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Opens a page without a window; returns the page then, and standard error."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"there is none of the browsers {', '.join(BROWSERS)}")
    profile = tmp_path_factory.mktemp("profile")

    def look(path):
        done = subprocess.run(
            [
                found, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                "--virtual-time-budget=10000", "--enable-logging=stderr",
                "--disable-background-networking", "--allow-file-access-from-files",
                f"--user-data-dir={profile}", path.as_uri(),
            ],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.stdout, done.stderr

    return look
