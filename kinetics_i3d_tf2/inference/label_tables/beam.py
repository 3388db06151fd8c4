"""Labels of very many videos on a cluster, by Apache Beam's RunInference."""

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from ...checkpoints import pretrained
from ...data import sources
from ...data.clips import from_folder
from ...data.sources import Input
from ...utils import files
from ...utils.beam_errors import as_pipeline_errors
from . import steps
from .rows import row_format
from .steps import TableOptions
from .table import LabelReport

_NAMESPACE = "i3d"


class LabelHandler(ModelHandler[Input, list, Any]):
    """Labels videos on a worker, which loads the models once.

    Args:
        models: as of `Classifier`: names or paths that every worker can open. Relative
            ones, also those of the videos, are relative to the current folder of the
            process that makes the handler.
        options: how videos are read, and what rows give.
        dtype: as of `Classifier`.
    """

    def __init__(
        self,
        models: Sequence[str | os.PathLike],
        options: TableOptions,
        *,
        dtype: str = "float32",
    ):
        super().__init__()
        self._models = tuple(map(pretrained.absolute, models))
        self._options, self._dtype = options, dtype
        self._folder = os.getcwd()

    def load_model(self):
        """Loads the models, once in a process."""
        from ..classifier import Classifier

        return Classifier(*self._models, dtype=self._dtype)

    def run_inference(
        self,
        batch: Sequence[Input],
        model,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[list[dict]]:
        """Labels videos.

        Args:
            batch: the videos.
            model: the `Classifier`.
            inference_args: none.

        Returns:
            The rows of each video.
        """
        found = [
            each._replace(source=from_folder(each.source, self._folder))
            for each in batch
        ]
        paths = {each.name: each.source.path for each in batch}
        rows = {name: [] for name in paths}
        for step in steps.label(model, found, self._options, progress=False):
            name = step.input.name
            if step.row is not None:
                rows[name].append(step.row | {"path": paths[name]})
                continue
            counts = {
                "failed" if step.error else "labelled": True,
                "longer": step.is_cut,
                "damaged": bool(step.damage),
            }
            for counter, value in counts.items():
                beam.metrics.Metrics.counter(_NAMESPACE, counter).inc(int(value))
        return list(rows.values())

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """As few videos at once as go through the models at once."""
        return {"min_batch_size": 1, "max_batch_size": self._options.batch_size}

    def get_metrics_namespace(self) -> str:
        """Name of Beam's own counters of this handler."""
        return f"{_NAMESPACE}_inference"


class Counts(NamedTuple):
    """What became of the videos of a run.

    Attributes:
        report: counts; `errors` are in the table.
        pattern: pattern of the files that hold the table.
    """

    report: LabelReport
    pattern: str


def label_with_beam(
    inputs: Sequence[Input],
    models: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    options: TableOptions = steps.DEFAULT,
    *,
    dtype: str = "float32",
    beam_options: PipelineOptions | None = None,
    num_shards: int = 0,
) -> Counts:
    """Labels videos on the workers of a cluster.

    A video that cannot be read has a row with the reason. A worker that dies is
    replaced, and its videos are done again, as the runner does it.

    Args:
        inputs: videos, spans and records, which every worker can open.
        models: as of `Classifier`: names or paths that every worker can open.
        out: the table, `labels.jsonl` or `labels.csv`: its files are
            `labels-00000-of-00004.jsonl` and so on. Their rows are those of
            `write_labels`, in any order.
        options: how videos are read, and what rows give.
        dtype: as of `Classifier`.
        beam_options: the runner and its options; by default threads of this machine.
        num_shards: how many files; by default as the runner likes.

    Returns:
        Counts, and where the table is.

    Raises:
        PipelineError: the pipeline failed.
        ValueError: the suffix of `out` is another, or an input is standard input.
    """
    sources.check_for_workers(each.source for each in inputs)
    codec = row_format(out, options.top)
    prefix, suffix = os.path.splitext(os.fspath(out))
    handler = LabelHandler(models, options, dtype=dtype)
    pipeline = beam.Pipeline(options=beam_options)
    _ = (
        pipeline
        | beam.Create(list(inputs))
        | beam.Reshuffle()  # Else the runner may do them one after another.
        | RunInference(handler)
        | beam.FlatMap(functools.partial(_lines, codec))
        | beam.io.WriteToText(
            files.absolute(prefix),
            file_name_suffix=suffix,
            num_shards=num_shards,
            header=codec.header.rstrip("\n") or None,
        )
    )
    with as_pipeline_errors():
        result = pipeline.run()
        result.wait_until_finish()
    found = {
        counter.key.metric.name: counter.committed
        for counter in result.metrics().query()["counters"]
        if counter.key.metric.namespace == _NAMESPACE
    }
    report = LabelReport(
        len(inputs),
        num_cut=found.get("longer", 0),
        num_damaged=found.get("damaged", 0),
        num_failed=found.get("failed", 0),
    )
    return Counts(report, f"{prefix}-*-of-*{suffix}")


def _lines(codec, rows):
    """The lines of a video's rows, without their line ends."""
    return [codec.encode(codec.convert(row)).rstrip("\n") for row in rows]
