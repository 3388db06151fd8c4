"""Flow and maps as colours, pictures as text."""

import base64

import cv2
import numpy as np
import pytest

from kinetics_i3d_tf2.visualization import images


@pytest.mark.parametrize(
    ("flow", "color"),
    [
        ((0, 0), (255, 255, 255)),
        ((2, 0), (255, 0, 0)),
        ((-2, 0), (0, 255, 255)),
        ((5, 0), (255, 0, 0)),
        ((1, 0), (255, 128, 128)),
        ((0, 2), (128, 255, 0)),
        ((0, -2), (128, 0, 255)),
    ],
)
def test_the_hue_is_the_direction(flow, color):
    found = images.flow_colors(np.full((2, 3, 2), flow, np.float32), 2.0)
    assert (found.shape, found.dtype) == ((2, 3, 3), np.uint8)
    np.testing.assert_allclose(found, np.broadcast_to(color, (2, 3, 3)), atol=1)


def test_heat_is_clear_where_the_map_is_0():
    shares = np.zeros((7, 7))
    shares[2, 3] = 1
    layer = images.heat(shares, 70)
    assert layer.shape == (70, 70, 4)
    hottest = np.unravel_index(layer[..., 3].argmax(), (70, 70))
    assert (hottest[0] // 10, hottest[1] // 10) == (2, 3)
    assert layer[65, 65, 3] == 0
    red, green, blue, opacity = layer[hottest]
    assert red == 255 and green < 60 and blue == 0 and opacity > 150


def test_pictures_as_text():
    image = np.full((16, 16, 3), (200, 30, 60), np.uint8)
    kind, _, data = images.jpeg_uri(image).partition(",")
    assert kind == "data:image/jpeg;base64"
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1)
    np.testing.assert_allclose(decoded[..., ::-1], image, atol=4)
    layer = np.random.default_rng(0).integers(0, 256, (5, 5, 4), np.uint8)
    kind, _, data = images.png_uri(layer).partition(",")
    assert kind == "data:image/png;base64"
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), -1)
    np.testing.assert_array_equal(decoded[..., [2, 1, 0, 3]], layer)
