"""RGB and optical flow: the few facts that every room shares."""

# Streams of an input by name of the choice; RGB is first.
STREAMS = {"joint": ("rgb", "flow"), "rgb": ("rgb",), "flow": ("flow",)}
CHANNELS = {"rgb": 3, "flow": 2}
# Scopes of the streams in checkpoints, which the release also prints.
SCOPES = {"rgb": "RGB", "flow": "Flow"}


def stream_of(num_channels: int) -> str | None:
    """The stream whose clips have this many channels; None if there is none."""
    return {count: stream for stream, count in CHANNELS.items()}.get(num_channels)


def title(stream: str) -> str:
    """Name of a stream for people: RGB, Flow or Joint."""
    return SCOPES.get(stream, stream.capitalize())
