"""Features of very many videos on a cluster, by Apache Beam's RunInference."""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference

from ..checkpoints import pretrained
from ..data.clips import from_folder
from ..data.frame_reader import FrameReader
from ..data.sources import Input
from ..inference.windows import Windows
from ..utils import files as storage
from ..utils.beam_errors import as_pipeline_errors
from . import extractor, window_features
from .files import FeatureFiles

_NAMESPACE = "i3d"
_OUTCOMES = "outcomes"


class Job(NamedTuple):
    """What every worker must know.

    Attributes:
        checkpoints: names or paths by stream, that every worker can open.
        model: `endpoint`, `pool` and `dtype` of `make_extractor`.
        windows: how videos are cut.
        reader: how they are read.
        batch_size: windows that go through the model at once.
        out: folder of the features, the same for all workers.
        kind: as of `FeatureFiles`, except "h5".
        settings: as of `FeatureFiles`.
    """

    checkpoints: Mapping[str, str | os.PathLike]
    model: Mapping[str, str]
    windows: Windows
    reader: FrameReader
    batch_size: int
    out: str
    kind: str
    settings: dict


@dataclasses.dataclass(eq=False)  # Beam keeps a weak reference, which tuples lack.
class _Loaded:
    """What a process has loaded."""

    extract: extractor.Extractor
    store: FeatureFiles


class FeatureHandler(ModelHandler[Input, str, Any]):
    """Writes the features of videos on a worker, which loads the models once.

    Args:
        job: what is done. Relative paths, also those of the videos, are relative to the
            current folder of the process that makes the handler.
    """

    def __init__(self, job: Job):
        super().__init__()
        paths = {s: pretrained.absolute(p) for s, p in job.checkpoints.items()}
        self._job = job._replace(checkpoints=paths, out=storage.absolute(job.out))
        self._folder = os.getcwd()

    def load_model(self):
        """Loads the models, and lists what is in the folder, once in a process."""
        models = {
            stream: pretrained.open_weights(path)
            .require(stream)
            .build_model(dtype="float32")
            for stream, path in self._job.checkpoints.items()
        }
        job = self._job
        store = FeatureFiles(job.out, job.kind, job.settings)
        return _Loaded(extractor.make_extractor(models, **job.model), store)

    def run_inference(
        self,
        batch: Sequence[Input],
        model,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[str]:
        """Writes the features of videos.

        Args:
            batch: the videos.
            model: of `load_model`.
            inference_args: none.

        Returns:
            A line of JSON for each video: its name, its error and its damage.
        """
        job = self._job
        store = model.store
        results = window_features.extract_all(
            [from_folder(each.source, self._folder) for each in batch],
            model.extract,
            job.windows,
            job.reader,
            batch_size=job.batch_size,
        )
        for each, result in zip(batch, results, strict=True):
            error, damage = "", ""
            if isinstance(result, str):
                error = result
                store.remove(each.name)  # Of an earlier video.
            else:
                damage = str(result.damage or "")
                store.write(each.name, result.values, result.times)
            counter = "failed" if error else "extracted"
            beam.metrics.Metrics.counter(_NAMESPACE, counter).inc()
            yield json.dumps([each.name, error, damage])

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """One video at once: there are many windows in each."""
        return {"min_batch_size": 1, "max_batch_size": 1}


def extract_with_beam(
    inputs: Sequence[Input], job: Job, beam_options
) -> dict[str, tuple[str, str]]:
    """Writes the features of videos on the workers of a cluster.

    Args:
        inputs: the videos, which every worker can open.
        job: what is done with them.
        beam_options: the runner and its options.

    Returns:
        Error and damage of each video that was seen, by name.

    Raises:
        PipelineError: the pipeline failed.
    """
    prefix = storage.join(storage.absolute(job.out), _OUTCOMES)
    with as_pipeline_errors(), beam.Pipeline(options=beam_options) as pipeline:
        _ = (
            pipeline
            | beam.Create(list(inputs))
            | beam.Reshuffle()  # Else the runner may do them one after another.
            | RunInference(FeatureHandler(job))
            | beam.io.WriteToText(prefix, file_name_suffix=".jsonl")
        )
    outcomes = {}
    for path in storage.matching(f"{prefix}-*-of-*.jsonl"):
        with storage.open_file(path) as file:
            for line in file:
                name, error, damage = json.loads(line)
                outcomes[name] = error, damage
        storage.remove(path)
    return outcomes
