import pytest
import slim


@pytest.fixture(scope="module")
def trunk():
    return slim.images_network()


@pytest.fixture(scope="module")
def slim_file(trunk, tmp_path_factory):
    path = tmp_path_factory.mktemp("slim") / "inception_v1.ckpt"
    return slim.write_slim(path, slim.slim_names(slim.weights_of(trunk)))
