"""The processor that figures are of."""

import platform


def processor_name():
    """Name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            (name, *_) = [line for line in lines if line.startswith("model name")]
        return name.split(":")[1].strip()
    except (OSError, ValueError):
        return platform.processor_name() or platform.machine()
