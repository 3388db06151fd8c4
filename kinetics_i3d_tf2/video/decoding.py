"""Frames of a video with their times, and a count of those that are damaged."""

from collections.abc import Iterator
from typing import NamedTuple

import av

from ..utils.cores import num_cores
from . import ffmpeg
from .damage import Damage
from .packets.demuxing import NO_LENGTH, frame_seconds, packets
from .packets.tally import Tally, Undecoded

# A seek lands on the key frame before; up to this many seconds it saves nothing.
_WORTH_SEEKING = 5.0
# 8192x8192, above most cameras; broken headers ask for all the memory.
MAX_PIXELS = 1 << 26
# Frames come out of the decoder in order; H.264 reorders up to 16 of them. Time stamps
# that go back further begin a new count, as in files joined end to end.
_REORDERED = 16
# Announced lengths are rounded, and may be the sound's: two frames and a percent.
_TOLERANCE = 2 / 25  # seconds
_TOLERANCE_SHARE = 0.01
_EXACT = ("ogg",)  # Its last page has the number of frames.
_LONGEST = ("asf", "nut")  # They announce the length of the longest stream.
# Sound that goes on for longer than streams are interleaved, where no length is known.
_SOUND_TOLERANCE = 1.0  # seconds


class TimedFrame(NamedTuple):
    """A decoded frame."""

    image: av.VideoFrame
    time: float  # seconds from the first frame
    duration: float  # seconds
    pixel_aspect: float  # width of a pixel over its height; 1 is square


def timed_frames(
    source: ffmpeg.Source,
    start: float,
    num_threads: int | None,
    damage: Damage,
) -> Iterator[TimedFrame]:
    """Decodes a video from a second on.

    Args:
        source: the video.
        start: second from which frames are wanted; some before it may come.
        num_threads: threads that decode; by default one for each processor.
        damage: is filled in as frames are decoded.

    Yields:
        Frames in the order of their times.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it is not a video.
        MemoryError: FFmpeg ran out of memory.
        av.FFmpegError: FFmpeg failed at some place and cannot go on.
    """
    with ffmpeg.open_video(source) as (container, stream):
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = num_threads or num_cores()
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        clock = _Clock(stream, is_avi=container.format.name == "avi")
        sought = (
            start > _WORTH_SEEKING
            and clock.origin is not None
            and ffmpeg.can_rewind(source)
        )
        if sought:
            offset = int((start + clock.origin) / stream.time_base)
            container.seek(offset, stream=stream)
        read_from_start = not sought
        tally = Tally(Undecoded(stream.codec_context.name))
        for frame in _decoded(container, stream, damage, tally):
            time, duration = clock.tick(frame)
            if sought and time > start:
                break  # The index of this file is wrong.
            sought = False
            damage.seconds = time + duration
            yield TimedFrame(frame, time, duration, clock.pixel_aspect)
        if not sought:
            if read_from_start:
                _check_complete(source, container, stream, clock.step, damage, tally)
            return
    # Some files cannot be read from just any place: read this one from its beginning.
    damage.__init__()
    yield from timed_frames(source, 0.0, num_threads, damage)


def announced_duration(source: ffmpeg.Source) -> float | None:
    """Length of a video in seconds, as its header announces it, without decoding.

    Args:
        source: the video.

    Returns:
        Seconds from its first frame to the end of its last; None where the header does
        not say, and for MPEG program and transport streams, which have none: their
        length is guessed from time stamps, which begin again where files were joined.
        Broken files announce what is not true.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it is not a video.
    """
    with ffmpeg.open_video(source) as (container, stream):
        if container.format.name in NO_LENGTH:
            return None
        return ffmpeg.announced_seconds(container, stream)


class _Clock:
    """Times of frames, in seconds from the first one.

    AVI stores no presentation times, and FFmpeg's guess is wrong with B-frames;
    decoding times are evenly spaced and only shifted.
    """

    def __init__(self, stream, *, is_avi):
        self._is_avi = is_avi
        self.step = frame_seconds(stream)
        self.pixel_aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        self.origin = None
        if stream.start_time is not None and not is_avi:
            self.origin = float(stream.start_time * stream.time_base)
        self._time = self._duration = None

    def tick(self, frame):
        """Seconds at which a frame begins, and how long it lasts."""
        ticks = frame.dts if self._is_avi else frame.pts
        if ticks is None:
            time = 0.0 if self._time is None else self._time + self.step
        else:
            time = self._from_stamp(float(ticks * frame.time_base))
        ticks = frame.duration  # None or 0 where the file does not say.
        self._time = time
        self._duration = float(ticks * frame.time_base) if ticks else self.step
        return time, self._duration

    def _from_stamp(self, stamp):
        self.origin = stamp if self.origin is None else self.origin
        time = stamp - self.origin
        if self._time is not None and time < self._time - _REORDERED * self.step:
            time = self._time + self._duration
            self.origin = stamp - time
        return time


def _decoded(container, stream, damage, tally):
    corrupt, broken, failure = 0, 0, None
    lacks_reference = False  # Up to the next key frame.
    for packet, is_after_loss in packets(container, stream, damage, tally):
        lacks_reference = (lacks_reference or is_after_loss) and not packet.is_keyframe
        is_broken = packet.is_corrupt or lacks_reference
        try:
            frames = packet.decode()
            tally.undecoded.add_packet(packet)
        except av.MemoryError as error:
            raise MemoryError(
                f"{container.name}: out of memory while decoding {stream.width}x"
                f"{stream.height} pixels; lower the number of readers or threads"
            ) from error
        except av.FFmpegError as error:
            frames, failure = (), error
            is_broken = lacks_reference = True
        broken += bool(packet.size) and is_broken
        damage.damaged = max(broken, corrupt) + tally.jumps
        for frame in frames:
            damage.decoded += 1
            corrupt += frame.is_corrupt
            damage.damaged = max(broken, corrupt) + tally.jumps
            tally.undecoded.add_frame(frame)
            yield frame
    if failure is not None and damage.decoded == 0:
        raise failure


def _check_complete(source, container, stream, step, damage, tally):
    ending = ffmpeg.ending_of(source, container, stream, damage.decoded, tally)
    announced = ffmpeg.announced_seconds(container, stream) or ending.seconds
    if ending.is_cut and container.format.name in _EXACT:
        announced = 0.0  # That page is missing.
    damage.announced, damage.is_cut = announced, ending.is_cut
    damage.is_partial, damage.trailing = ending.is_partial, ending.trailing
    damage.damaged = max(damage.damaged, tally.undecoded.count)
    if not announced or container.format.name in NO_LENGTH:
        if tally.sound_after > max(_SOUND_TOLERANCE, tally.spacing):
            damage.sound_after = tally.sound_after
    rest = announced - damage.seconds
    if container.format.name in _LONGEST:
        rest -= tally.sound_after
    is_exact = ending.is_cut or ending.is_torn or container.format.name in _EXACT
    lost = 0
    if rest > (step / 2 if is_exact else _TOLERANCE + _TOLERANCE_SHARE * announced):
        lost = max(1, round(rest / step))
    elif ending.frames and rest > step / 2:
        lost = ending.frames - tally.packets - damage.missing
    damage.missing += max(lost, ending.missing) + ending.missing_before
