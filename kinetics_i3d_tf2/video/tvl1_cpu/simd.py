"""Vectors of 16 float32 values for Numba kernels.

LLVM vectorizes a loop only where it can prove that the arrays do not overlap, and for
TV-L1 it cannot. Kernels therefore load, compute and store 16 values at a time; LLVM
maps them to one AVX-512 register, two AVX2 registers or four NEON registers. Arithmetic
may be contracted and reassociated; `reciprocal_root` and division may use the
processor's estimate and a Newton step.

An index is a place in a flat array and is not checked.
"""

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

LANES = 16
_INT32 = ir.IntType(32)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_INTEGERS = ir.VectorType(_INT32, LANES)
_FAST = ("fast",)


class Lanes(types.Type):
    """Numba's type of 16 float32 values."""

    def __init__(self):
        super().__init__(name="Float32Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, _VECTOR)


def element_pointer(context, builder, array_type, array, index):
    """LLVM pointer to an element of a flat array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def load_vector(context, builder, array_type, array, index):
    """LLVM value of 16 elements of a flat array."""
    pointer = element_pointer(context, builder, array_type, array, index)
    return builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)


def store_vector(context, builder, array_type, array, index, values):
    """Stores an LLVM vector in a flat array."""
    pointer = element_pointer(context, builder, array_type, array, index)
    pointer = builder.bitcast(pointer, values.type.as_pointer())
    builder.store(values, pointer, align=4)


def lesser(builder, a, b):
    """LLVM value of the element-wise minimum."""
    condition = builder.fcmp_ordered("<", a, b, flags=_FAST)
    return builder.select(condition, a, b, flags=_FAST)


def greater(builder, a, b):
    """LLVM value of the element-wise maximum."""
    condition = builder.fcmp_ordered(">", a, b, flags=_FAST)
    return builder.select(condition, a, b, flags=_FAST)


@intrinsic
def load(typing, array, index):
    """16 values of a float32 array."""

    def generate(context, builder, signature, args):
        return load_vector(context, builder, signature.args[0], *args)

    return lanes(array, types.intp), generate


@intrinsic
def store(typing, array, index, values):
    """Writes 16 values to a float32 array."""

    def generate(context, builder, signature, args):
        store_vector(context, builder, signature.args[0], *args)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic
def store_integers(typing, array, index, values):
    """Writes 16 whole numbers to an int32 array."""

    def generate(context, builder, signature, args):
        array, index, values = args
        values = builder.fptosi(values, _INTEGERS)
        store_vector(context, builder, signature.args[0], array, index, values)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


def _shuffle(builder, vector, places):
    mask = ir.Constant(_INTEGERS, places)
    return builder.shuffle_vector(vector, ir.Constant(_VECTOR, ir.Undefined), mask)


@intrinsic
def splat(typing, value):
    """One value in all lanes."""

    def generate(context, builder, signature, args):
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        vector = builder.insert_element(nothing, args[0], _INT32(0))
        return _shuffle(builder, vector, [0] * LANES)

    return lanes(types.float32), generate


@intrinsic
def load_one(typing, array, index):
    """One value of a float32 array."""

    def generate(context, builder, signature, args):
        pointer = element_pointer(context, builder, signature.args[0], *args)
        return builder.load(pointer)

    return types.float32(array, types.intp), generate


@intrinsic
def lane(typing, vector, index):
    """The value of one lane."""

    def generate(context, builder, signature, args):
        return builder.extract_element(*args)

    return types.float32(lanes, types.intp), generate


@intrinsic
def sum_quarters(typing, vector):
    """Sums of every fourth value, in each quarter."""

    def generate(context, builder, signature, args):
        (vector,) = args
        for step in (8, 4):
            places = [(i + step) % LANES for i in range(LANES)]
            rotated = _shuffle(builder, vector, places)
            vector = builder.fadd(vector, rotated, flags=_FAST)
        return vector

    return lanes(lanes), generate


def _call(builder, name, vector):
    kind = ir.FunctionType(_VECTOR, [_VECTOR])
    name = f"llvm.{name}.v{LANES}f32"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [vector], fastmath=_FAST)


def _reciprocal_root(builder, vector):
    root = _call(builder, "sqrt", vector)
    return builder.fdiv(ir.Constant(_VECTOR, [1.0] * LANES), root, flags=_FAST)


def _elementwise(build, count, doc):
    """Function of one or two vectors, from one that builds LLVM's instruction."""

    def generate(context, builder, signature, args):
        return build(builder, *args)

    if count == 1:

        @intrinsic
        def function(typing, vector):
            return lanes(lanes), generate
    else:

        @intrinsic
        def function(typing, a, b):
            return lanes(lanes, lanes), generate

    function.__doc__ = doc
    return function


floor = _elementwise(
    lambda builder, a: _call(builder, "floor", a), 1, "The next whole numbers below."
)
reciprocal_root = _elementwise(_reciprocal_root, 1, "1 / sqrt(x), for x above 0.")
minimum = _elementwise(lesser, 2, "The lesser of each two values.")
maximum = _elementwise(greater, 2, "The greater of each two values.")


def _define_operator(symbol, instruction):
    def build(builder, a, b):
        return getattr(builder, instruction)(a, b, flags=_FAST)

    compute = _elementwise(build, 2, None)

    @overload(symbol)
    def choose(a, b):
        if isinstance(a, Lanes) and isinstance(b, Lanes):
            return lambda a, b: compute(a, b)
        return None


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define_operator(_symbol, _instruction)
