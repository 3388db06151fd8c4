"""The newest frames of a camera or a stream, by a thread that never falls behind."""

import contextlib
import os
import threading
import time
from collections import deque
from typing import NamedTuple

import av
import numpy as np
from absl import logging

from ..utils import files
from . import ffmpeg
from .decoding import TimedFrame
from .reader import FRAME_RATE
from .rgb_converter import RgbConverter
from .transforms import SHORT_SIDE, resize_short_side

# Formats of devices, by how their names begin.
_DEVICES = {"/dev/video": "v4l2", "avfoundation:": "avfoundation", "dshow:": "dshow"}
_OPTIONS = {
    "rtsp_transport": "tcp",  # Losses of UDP are damaged pictures.
    "analyzeduration": "1000000",  # microseconds that opening may take
    # No "file": playlists of strangers may not name files of this machine.
    "protocol_whitelist": "rtsp,rtp,rtmp,srt,srtp,udp,tcp,tls,http,https,httpproxy,"
    "crypto,hls,data",
}
_LONGEST_WAIT = 30.0  # seconds between two attempts to connect
_POLL = 0.05
# A camera's clock may jump; a longer gap begins a new window.
_LONGEST_GAP = 2.0


class Newest(NamedTuple):
    """The newest frames.

    Attributes:
        frames: uint8 RGB `(height, width, 3)` each, 25 per second, without a gap.
        end: seconds from the beginning of the stream to the end of the last frame.
        arrived: when the last frame came, as of `time.monotonic`.
    """

    frames: list[np.ndarray]
    end: float
    arrived: float


class LiveVideo:
    """Reads a camera, a stream or a pipe, and keeps its newest seconds; a context.

    Frames are taken at 25 per second and resized to a short side of 256 pixels. A
    connection that is lost is opened again, after 1, 2, 4 to 30 seconds.

    Args:
        source: "/dev/video0", "avfoundation:0", "dshow:video=NAME", an address
            (rtsp://, rtmp://, srt://, udp://, tcp://, http://, https://), "-" for
            standard input, or a named pipe.
        seconds: how much is kept.
        timeout: seconds without data after which a connection is lost.

    Raises:
        OSError: there is no such source.
        ValueError: it is a regular file, or cannot be read as a video.

    Attributes:
        is_over: whether the source has ended; pipes do, others are opened again.
        reconnections: how often the connection was lost.
    """

    def __init__(self, source: str, *, seconds: float, timeout: float = 10.0):
        self._source = os.fspath(source)
        _check(self._source)
        self._timeout = timeout
        # One more: optical flow has one field less than there are frames.
        self._frames = deque(maxlen=round(seconds * FRAME_RATE) + 1)
        self._end = self._arrived = self._given = 0.0
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._failure = None
        self._began = None
        self.is_over = False
        self.reconnections = 0
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Ends the thread; it is not waited for, as it may wait for data."""
        self._stop.set()

    def wait(self, end: float, count: int) -> Newest | None:
        """Waits until the stream has come to a second, and gives its newest frames.

        Args:
            end: second of the stream, as of `Newest.end`.
            count: number of frames that are needed.

        Returns:
            The frames, `count` or one more if there are as many. When the source is
            over, what is left, and None if that is nothing new.

        Raises:
            OSError: the source could not be opened at all.
            ValueError: it is not a video.
        """
        newest = self._wait(end, count)
        return newest and newest._replace(frames=newest.frames[-count - 1 :])

    def wait_after(self, end: float, count: int) -> Newest | None:
        """Waits for frames after a second of the stream.

        Args:
            end: the second, as of `Newest.end`.
            count: number of frames that must have come since.

        Returns:
            All frames that are kept. When the source is over, None if none is new.

        Raises:
            OSError: the source could not be opened at all.
            ValueError: it is not a video.
        """
        return self._wait(end + count / FRAME_RATE - 1e-6, 1)

    def _wait(self, end, count):
        with self._changed:
            while not self._is_ready(end, count):
                self._changed.wait(_POLL)  # In short steps: Ctrl-C must get through.
            if self._failure is not None:
                raise self._failure
            if self.is_over and (self._end <= self._given or not self._frames):
                return None
            self._given = self._end
            return Newest([*self._frames], self._end, self._arrived)

    def _is_ready(self, end, count):
        if self.is_over or self._failure is not None:
            return True
        return self._end >= end and len(self._frames) >= count

    def _run(self):
        """The thread: opens the source and reads it, until it ends or is closed."""
        wait = 1.0
        while not self._stop.is_set():
            count = 0
            try:
                for frame in self._decode():
                    count += 1
                    self._add(frame)
                    if self._stop.is_set():
                        return
                problem = "the stream has ended"
            except (av.FFmpegError, OSError, ValueError) as error:
                problem = getattr(error, "strerror", None) or str(error)
                if self._began is None:
                    return self._finish(self._explained(problem))
            if _ends(self._source):
                return self._finish(None)
            wait = 1.0 if count else min(2 * wait, _LONGEST_WAIT)
            logging.warning(
                "%s: %s; connecting again in %g s",
                files.redact(self._source), problem, wait,
            )  # fmt: skip
            self.reconnections += 1
            with self._changed:
                self._frames.clear()
            self._stop.wait(wait)

    def _explained(self, problem):
        name = ffmpeg.name_of(self._source)
        return ValueError(f"{name}: cannot be read as a live video ({problem})")

    def _finish(self, failure):
        with self._changed:
            self._failure, self.is_over = failure, True
            self._changed.notify_all()

    def _decode(self):
        """Yields decoded frames with the seconds since the stream began."""
        with contextlib.closing(_open(self._source, self._timeout)) as container:
            stream = container.streams.best("video")
            if stream is None:
                raise ValueError("there is no video in it")
            stream.thread_type = "SLICE"  # Threads by frame would hold frames back.
            aspect = float(stream.sample_aspect_ratio or 1) or 1.0
            step = 1 / float(stream.average_rate or FRAME_RATE)
            origin = None
            for frame in container.decode(stream):
                now = time.monotonic()
                stamp = frame.time if frame.time is not None else now
                self._began = now if self._began is None else self._began
                if origin is None:
                    origin = stamp - max(now - self._began, self._end)
                yield TimedFrame(frame, stamp - origin, step, aspect)

    def _add(self, frame):
        """Keeps a frame as often as ticks of 1/25 second have passed."""
        if (
            not self._frames
            or not -_LONGEST_GAP < frame.time - self._end < _LONGEST_GAP
        ):
            self._to_rgb, self._end = RgbConverter(), frame.time
            with self._changed:
                self._frames.clear()
        ticks = int((frame.time - self._end) * FRAME_RATE + 0.5) + 1
        if ticks < 1:
            return
        image = resize_short_side(self._to_rgb(frame), SHORT_SIDE)
        with self._changed:
            self._frames.extend([image] * ticks)
            self._end += ticks / FRAME_RATE
            self._arrived = time.monotonic()
            self._changed.notify_all()


def is_live(source: str) -> bool:
    """Whether a source is a camera or a protocol of live streams, by its name."""
    schemes = ("rtsp:", "rtsps:", "rtmp:", "srt:", "udp:", "tcp:", "rtp:")
    return source.startswith((*_DEVICES, *schemes))


def _check(source):
    if is_live(source) or ffmpeg.is_stdin(source) or files.is_address(source):
        return
    if not os.path.exists(source):
        raise FileNotFoundError(f"{source}: there is no such file or device")
    if not ffmpeg.is_pipe(source):
        raise ValueError(
            f"{source}: is a file, not a live video; for its labels over time use "
            "--window"
        )


def _ends(source):
    """Whether the end of a source is its end, not a lost connection."""
    return ffmpeg.is_stdin(source) or ffmpeg.is_pipe(source) and not is_live(source)


def _open(source, timeout):
    for beginning, kind in _DEVICES.items():
        if source.startswith(beginning):
            name = source if kind == "v4l2" else source.removeprefix(beginning)
            return av.open(name, format=kind)
    if ffmpeg.is_stdin(source):
        return av.open(os.fdopen(os.dup(0), "rb"))
    if ffmpeg.is_pipe(source):
        return av.open(f"file:{os.path.abspath(source)}")
    return av.open(source, options=_OPTIONS, timeout=timeout)
