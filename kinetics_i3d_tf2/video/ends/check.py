"""The ending of any video file."""

from typing import BinaryIO

from . import lengths, streams
from .ending import Ending

_CHECKS = {
    "asf": lengths.asf,
    "avi": lengths.avi,
    "flv": streams.flash,
    "matroska,webm": lengths.matroska,
    "mov,mp4,m4a,3gp,3g2,mj2": lengths.mp4,
    "mpeg": streams.program_stream,
    "mpegts": streams.transport_stream,
    "mxf": lengths.mxf,
    "ogg": streams.ogg,
}


def ending_of(file: BinaryIO, container, stream, decoded: int) -> Ending:
    """Compares the end of a file with what its format says.

    Args:
        file: the whole file, which can be rewound.
        container: the same file as PyAV opened it.
        stream: its film.
        decoded: frames that were decoded.

    Returns:
        The ending; of a format without a rule, one without a fault.
    """
    name = container.format.name
    if name == "gif":
        return streams.gif(file, decoded)
    if name == "yuv4mpegpipe":
        return streams.y4m(file, _frame_bytes(stream.codec_context.format))
    return _CHECKS[name](file) if name in _CHECKS else Ending()


def _frame_bytes(pixels):
    """Bytes of a frame whose components are stored one after the other."""
    return sum(
        each.width * each.height * -(-each.bits // 8) for each in pixels.components
    )
