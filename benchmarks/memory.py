"""Memory of this process, as Linux counts it."""

from pathlib import Path


def resident_mib():
    """What it holds now."""
    return _status_mib("VmRSS")


def peak_mib():
    """The most it has held since it began, or since `forget_peak`."""
    return _status_mib("VmHWM")


def forget_peak():
    """Lets the peak begin again from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_mib(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) / 2**10
    raise OSError(f"/proc/self/status does not tell {name}")
