"""The importers on files of PyTorch itself (the extra `ports`)."""

import numpy as np
import port_files
import pytest
import pytorch_format

from kinetics_i3d_tf2.checkpoints.importers.recognize import read_weights
from kinetics_i3d_tf2.checkpoints.sonnet import sonnet_name

torch = pytest.importorskip("torch", reason="pip install 'kinetics-i3d-tf2[ports]'")


@pytest.fixture(scope="module")
def weights(small_model):
    return {sonnet_name(v): v.numpy() for v in small_model.weights}


def tensors(state):
    return {name: torch.from_numpy(np.array(value)) for name, value in state.items()}


@pytest.mark.parametrize("is_zip", [False, True], ids=["before 1.6", "zip"])
@pytest.mark.parametrize("names", [port_files.piergiaj, port_files.hassony2])
def test_files_of_pytorch(weights, tmp_path, names, is_zip):
    path = tmp_path / "x.pt"
    tree = {"state_dict": tensors(names(weights)), "epoch": 3}
    torch.save(tree, path, _use_new_zipfile_serialization=is_zip)
    found = read_weights(path)
    assert found.values.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(found.values[name], value, err_msg=name)


def test_half_precision_and_parameters(weights, tmp_path):
    state = tensors(port_files.piergiaj(weights))
    state = {
        name: value.bfloat16() if value.is_floating_point() else value
        for name, value in state.items()
    }
    state["logits.conv3d.bias"] = torch.nn.Parameter(state["logits.conv3d.bias"])
    torch.save(state, tmp_path / "x.pt")
    found = read_weights(tmp_path / "x.pt")
    for name, value in weights.items():
        expected = torch.from_numpy(value).bfloat16().float().numpy()
        np.testing.assert_array_equal(found.values[name], expected)


def test_checkpoint_of_a_training(tmp_path, weights):
    """Modules, an optimizer with its state and a scheduler, as scripts save them."""
    state = tensors(port_files.piergiaj(weights))
    module = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    module(torch.zeros(1, 2)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    tree = {
        "model": {f"module.{name}": value for name, value in state.items()},
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "best": np.float64(0.5),
    }
    torch.save(tree, tmp_path / "x.pt")
    found = read_weights(tmp_path / "x.pt")
    assert found.num_classes == 7
    assert "left out tensors outside the model: optimizer/" in found.notes[0]


def test_a_whole_module_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "x.pt")
    with pytest.raises(ValueError, match="names torch.nn.modules.linear.Linear"):
        read_weights(tmp_path / "x.pt")


@pytest.mark.parametrize("write", ["write_zip", "write_legacy"])
def test_pytorch_reads_what_the_tests_write(weights, tmp_path, write):
    """So that files made without PyTorch are like its own."""
    state = port_files.piergiaj(weights)
    getattr(pytorch_format, write)(state, tmp_path / "x.pt")
    for name, value in torch.load(tmp_path / "x.pt", weights_only=True).items():
        np.testing.assert_array_equal(value.numpy(), state[name])


def test_the_folded_unit_computes_the_same():
    """Convolution, batch norm with a scale and ReLU, against ours without a scale."""
    torch.manual_seed(0)
    convolution = torch.nn.Conv3d(3, 4, 3, padding=1, bias=False)
    batch_norm = torch.nn.BatchNorm3d(4, eps=1e-3).eval()
    with torch.no_grad():
        for tensor in (*batch_norm.parameters(), *batch_norm.buffers()):
            if tensor.ndim:
                tensor.uniform_(0.5, 2)
        clip = torch.randn(1, 3, 5, 6, 7)
        expected = torch.relu(batch_norm(convolution(clip))).numpy()
    gamma = batch_norm.weight.detach().numpy()
    kernel = convolution.weight.detach().numpy().transpose(2, 3, 4, 1, 0) * gamma
    from kinetics_i3d_tf2.models.inception import Unit3D

    unit = Unit3D(4, 3)
    unit.build((None, None, None, None, 3))
    unit.convolution.kernel.assign(kernel)
    unit.batch_norm.beta.assign(batch_norm.bias.detach().numpy())
    unit.batch_norm.moving_mean.assign(batch_norm.running_mean.numpy() * gamma)
    unit.batch_norm.moving_variance.assign(batch_norm.running_var.numpy())
    ours = np.asarray(unit(clip.numpy().transpose(0, 2, 3, 4, 1)))
    np.testing.assert_allclose(ours.transpose(0, 4, 1, 2, 3), expected, atol=1e-5)
