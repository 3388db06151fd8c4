"""What features are extracted of videos, and how."""

import dataclasses

from ..arguments import suggest_arguments
from ..data.read_options import ReadOptions
from ..video.reader import FRAME_RATE
from ..video.tvl1_parameters import EPSILON


@suggest_arguments
@dataclasses.dataclass(frozen=True)
class FeatureOptions:
    """What is extracted, and how.

    Attributes:
        endpoint: name of an endpoint of `InceptionI3d`.
        pool: "both", "space", "time" or "none": what it is averaged over.
        fps: frames per second that are taken.
        dtype: "float32" or "bfloat16".
        format: "npz", "npy" or "hdf5".
        batch_size: windows that go through the model at once.
        num_readers: videos that are read at once; by default one for each processor.
        flow_engine: engine of optical flow.
        flow_epsilon: TV-L1 stops when an iteration changes the flow by less, in pixels.
        reading: limits on single videos; images of folders are `fps` a second.
    """

    endpoint: str = "Mixed_5c"
    pool: str = "both"
    fps: float = FRAME_RATE
    dtype: str = "float32"
    format: str = "npz"
    batch_size: int = 4
    num_readers: int | None = None
    flow_engine: str = "auto"
    flow_epsilon: float = EPSILON
    reading: ReadOptions = ReadOptions()
