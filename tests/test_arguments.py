"""Unknown arguments are TypeErrors that name a near one."""

import inspect
import pickle
import re

import pytest

import kinetics_i3d_tf2 as i3d
from kinetics_i3d_tf2.arguments import suggest_arguments
from kinetics_i3d_tf2.models import batch_norm_lstm, inception, inception_v1, logits


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: i3d.InceptionI3d(num_class=3), "InceptionI3d.*mean 'num_classes'"),
        (lambda: i3d.C3d(widht=1), "C3d.*'width'"),
        (lambda: i3d.ConvNetLstm(all_step=True), "ConvNetLstm.*'all_steps'"),
        (lambda: i3d.TwoStream(snipet=4), "TwoStream.*'snippet'"),
        (lambda: i3d.FusedTwoStream(streams="rgb"), "FusedTwoStream.*'stream'"),
        (lambda: inception.Unit3D(4, kernel=3), "Unit3D.*'kernel_size'"),
        (lambda: inception.Unit2D(4, stride=3), "Unit2D.*'strides'"),
        (lambda: logits.Logits(4, dropout=0.1), "Logits.*'dropout_rate'"),
        (lambda: inception_v1.InceptionV1(wide=1), "InceptionV1.*'width'"),
        (lambda: batch_norm_lstm.BatchNormLstm(4, max_step=2), "Lstm.*'max_steps'"),
        (lambda: i3d.Momentum(0.1, momentun=0.9), "Momentum.*'momentum'"),
        (lambda: i3d.Classifier(dtyp="float32"), "Classifier.*'dtype'"),
        (lambda: i3d.import_weights("x", labelmap="y"), "import_weights.*'label_map'"),
        (lambda: i3d.load_model("checkpoints/demo_rgb", clases=3), "'num_classes'"),
        (lambda: i3d.load_checkpoint(None, "x", excluded=()), "'exclude'"),
        (lambda: i3d.fetch("rgb_sample", rot="x"), "'root'"),
        (lambda: i3d.ClipRecipe(num_frame=3), "ClipRecipe.*'num_frames'"),
        (lambda: i3d.TrainingRecipe(step=3), "TrainingRecipe.*'steps'"),
        (lambda: i3d.TrainingOptions(sed=3), "TrainingOptions.*'seed'"),
        (lambda: i3d.TrainingData((), (), clas_names=()), "'class_names'"),
        (lambda: i3d.FeatureOptions(endpont="x"), "FeatureOptions.*'endpoint'"),
        (lambda: i3d.read_video("x", starts=1), "iter_video.*'start'"),
        (lambda: i3d.decode_predictions([[1]], tops=1), "'top'"),
        (lambda: i3d.preprocess_input([], streams="rgb"), "'stream'"),
        (lambda: i3d.export_model({}, (), "x", fromat="onnx"), "'format'"),
        (lambda: i3d.ExportOptions(tops=3), "ExportOptions.*'top'"),
        (lambda: i3d.InceptionI3d(zzz=1), "'zzz'; it has activation, class_names, "),
    ],
)
def test_near_arguments_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("name", sorted(i3d._HOMES))
def test_every_public_name_suggests_arguments(name):
    """A new one fails? Decorate it with `@suggest_arguments`, above all others."""
    value = getattr(i3d, name)
    if not callable(value):
        return
    parameters = list(inspect.signature(value).parameters.values())
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    if takes_any:  # Those that pass them on are tested above and in their own tests.
        assert name in _PASS_ON
        return
    parameter = max(
        (p for p in parameters if p.kind is not p.VAR_POSITIONAL),
        key=lambda p: len(p.name),
    )
    message = f"has no argument '{parameter.name}s'; did you mean '{parameter.name}'"
    with pytest.raises(TypeError, match=re.escape(message)):
        value(**{f"{parameter.name}s": 1})


_PASS_ON = (
    "ConvNetLstm",
    "DenseCrossentropy",
    "FusedTwoStream",
    "Momentum",
    "MultiLabelCrossentropy",
    "TwoStream",
    "load_model",
    "read_video",
)


def test_a_class_that_passes_arguments_on():
    class Base:
        def __init__(self, *, first=0):
            self.first = first

    @suggest_arguments
    class Derived(Base):
        def __init__(self, second, **kwargs):
            super().__init__(**kwargs)
            self.second = second

    made = Derived(2, first=1)
    assert (made.first, made.second) == (1, 2)
    assert str(inspect.signature(Derived)) == "(second, **kwargs)"
    message = "Derived() has no argument 'frist'; did you mean 'first'?"
    with pytest.raises(TypeError, match=re.escape(message)):
        Derived(2, frist=1)


def test_a_named_tuple():
    data = i3d.TrainingData(training=(1,), validation=(), class_names=("a",))
    assert data._replace(validation=(2,)) == ((1,), (2,), ("a",))
    assert pickle.loads(pickle.dumps(data)) == data


def test_a_subclass_of_a_model_has_arguments_of_its_own():
    class Mine(i3d.InceptionI3d):
        def __init__(self, extra, **kwargs):
            super().__init__(**kwargs)
            self.extra = extra

    assert Mine(3, width=1 / 16, final_endpoint="Conv3d_1a_7x7").extra == 3
