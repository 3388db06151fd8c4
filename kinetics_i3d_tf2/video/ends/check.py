"""The ending of any video file."""

from typing import BinaryIO

from ..packets.tally import Tally
from . import avi_index, lengths, matroska, streams
from .ending import Ending

# Bytes before the first packet in which no frame has room.
_HOLE = 512

_CHECKS = {
    "mxf": lengths.mxf,
    "ogg": streams.ogg,
}


def ending_of(file: BinaryIO, container, stream, decoded: int, tally: Tally) -> Ending:
    """Compares the end of a file with what its format says.

    Args:
        file: the whole file, which can be rewound.
        container: the same file as PyAV opened it.
        stream: its film.
        decoded: frames that were decoded.
        tally: of its packets.

    Returns:
        The ending; of a format without a rule, one without a fault.
    """
    match container.format.name:
        case "asf":
            missing = _missing_before(stream, tally, lengths.asf_begin(file))
            return lengths.asf(file)._replace(missing_before=missing)
        case "avi":
            frames = avi_index.frames(file, stream.index)
            return lengths.avi(file)._replace(frames=frames)
        case "flv":
            missing = _missing_before(stream, tally, streams.flash_begin(file))
            return streams.flash(file)._replace(missing_before=missing)
        case "gif":
            return streams.gif(file, decoded)
        case "matroska,webm":
            missing = _missing_before(stream, tally, matroska.begin(file))
            return matroska.ending(file, tally)._replace(missing_before=missing)
        case "mov,mp4,m4a,3gp,3g2,mj2":
            return lengths.mp4(file)._replace(frames=stream.frames)
        case "mpeg":
            return streams.program_stream(file, tally)
        case "mpegts":
            return streams.transport_stream(file, tally)
        case "yuv4mpegpipe":
            return streams.y4m(file, _frame_bytes(stream.codec_context.format))
        case name:
            return _CHECKS[name](file) if name in _CHECKS else Ending()


def _missing_before(stream, tally, begin):
    """Frames before the first, where time and bytes were skipped before it."""
    if None in (begin, tally.begin, stream.start_time, stream.average_rate):
        return 0
    frames = float(stream.start_time * stream.time_base * stream.average_rate)
    is_hole = tally.begin > begin + _HOLE
    return round(frames) if is_hole and frames > 1.5 else 0


def _frame_bytes(pixels):
    """Bytes of a frame whose components are stored one after the other."""
    return sum(
        each.width * each.height * -(-each.bits // 8) for each in pixels.components
    )
