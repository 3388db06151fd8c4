"""The convolution units of I3D, with the attributes that their names depend on."""

from typing import NamedTuple

from ...models.architecture import TRUNK, Mixed, Pool

CLASSIFIER = "Logits/Conv3d_0c_1x1"


class Unit(NamedTuple):
    """A convolution with batch norm, or the classifier."""

    scope: str  # in a Sonnet checkpoint, below the model's own scope
    kernel: int  # size along each axis
    inputs: tuple[str, ...]  # scopes of the units whose concatenated outputs it takes
    block: str = ""  # "Mixed_3b"; empty outside the Inception blocks
    branch: int = 0
    place: str = "a"  # "a" or "b": first or second layer of the branch

    @property
    def is_classifier(self) -> bool:
        """Whether it has a bias instead of batch norm."""
        return self.scope == CLASSIFIER


def _units():
    """The units in order, with their inputs."""
    inputs = ()
    for row in TRUNK:
        if isinstance(row, Pool):
            continue
        if not isinstance(row, Mixed):
            yield Unit(row.name, row.kernel, inputs)
            inputs = (row.name,)
            continue
        block = list(_block(row, inputs))
        yield from block
        inputs = tuple(block[index].scope for index in (0, 2, 4, 5))
    yield Unit(CLASSIFIER, 1, inputs)


def _block(row, inputs):
    """The six units of an Inception block; numbers 0, 2, 4 and 5 are the outputs."""

    def unit(branch, place, name, kernel, inputs):
        scope = f"{row.name}/Branch_{branch}/{name}"
        return Unit(scope, kernel, inputs, row.name, branch, place)

    yield unit(0, "a", "Conv3d_0a_1x1", 1, inputs)
    for branch, name in ((1, "Conv3d_0b_3x3"), (2, row.b2_name)):
        yield (first := unit(branch, "a", "Conv3d_0a_1x1", 1, inputs))
        yield unit(branch, "b", name, 3, (first.scope,))
    yield unit(3, "b", "Conv3d_0b_1x1", 1, inputs)


UNITS: tuple[Unit, ...] = tuple(_units())
