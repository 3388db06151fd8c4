"""A camera for tests: MPEG-TS over TCP on this machine, in real time or faster."""

import contextlib
import io
import socket
import threading
import time

import av
import numpy as np


def mpegts(seconds, size=256):
    """An MPEG-TS whose brightness tells the frame, and where each frame ends in it."""
    file, ends = io.BytesIO(), []
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10"}
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(round(25 * seconds)):
            image = np.full((size, size, 3), number * 5 % 250, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
            ends.append(file.tell())
        container.mux(stream.encode())
    return file.getvalue(), ends


@contextlib.contextmanager
def serve(seconds, *, connections=1, speed=1.0):
    """Sends the video to so many connections, one after another; gives the address."""
    content, ends = mpegts(seconds)
    server = socket.create_server(("127.0.0.1", 0))

    def send(connection):
        start, last = time.monotonic(), 0
        for number, end in enumerate([*ends[:-1], len(content)]):
            time.sleep(max(0.0, start + number / 25 / speed - time.monotonic()))
            connection.sendall(content[last:end])
            last = end

    def run():
        for _ in range(connections):
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    send(connection)
        server.close()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()
