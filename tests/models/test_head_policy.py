import keras
import pytest

from kinetics_i3d_tf2.models.head_policy import HeadPolicy


@pytest.mark.parametrize(
    ("trunk", "head"),
    [
        ("float32", "float32"),
        ("float64", "float64"),
        ("bfloat16", "float32"),
        ("float16", "float32"),
        ("mixed_bfloat16", "float32"),
    ],
)
def test_heads_do_not_compute_in_half_precision(trunk, head):
    policy = HeadPolicy.after(keras.DTypePolicy(trunk))
    assert (policy.compute_dtype, policy.variable_dtype) == (head, head)


def test_policies_are_saved_with_their_class():
    policy = HeadPolicy("float32")
    again = keras.dtype_policies.get(keras.dtype_policies.serialize(policy))
    assert isinstance(again, HeadPolicy)
    assert again == policy
