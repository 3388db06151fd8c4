"""Ways to damage the content of a file."""

import random

# Sizes, counts and offsets that overflow a sum or a product somewhere.
_EXTREME = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 24, 0x7FFFFFFF, 0x80000000)
_EXTREME += (0xFFFFFFF0, 0xFFFFFFFF)
_HEADER = 512


def _bytes(content, rng):
    for _ in range(rng.choice((1, 1, 4, 64))):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return content


def _header(content, rng):
    """A bit near the beginning or the end, where formats keep their structure."""
    place = rng.randrange(min(_HEADER, len(content)))
    content[rng.choice((place, -1 - place))] ^= 1 << rng.randrange(8)
    return content


def _truncate(content, rng):
    return content[: rng.randrange(len(content))]


def _splice(content, rng):
    """A piece is copied over, inserted at, or cut out of a place."""
    piece = _piece(content, rng)
    place = rng.randrange(len(content))
    kept = rng.choice((place, place + len(piece)))
    return content[:place] + rng.choice((piece, b"")) + content[kept:]


def _zero(content, rng):
    place = rng.randrange(len(content))
    size = len(content[place : place + rng.choice((16, 512, 4096, len(content) // 8))])
    content[place : place + size] = bytes(size)
    return content


def _extreme(content, rng):
    value = rng.choice(_EXTREME).to_bytes(4, rng.choice(("little", "big")))
    reach = rng.choice((_HEADER, len(content)))
    place = rng.randrange(min(reach, len(content)))
    content[place : place + 4] = value[: len(content) - place]
    return content


def _concatenate(content, rng):
    piece = rng.choice((content, _piece(content, rng)))
    return rng.choice((content + piece, piece + content))


def _piece(content, rng):
    place = rng.randrange(len(content))
    return content[place : place + rng.choice((64, 2048, len(content) // 4))]


MUTATIONS = {
    "bytes": _bytes,
    "header": _header,
    "truncation": _truncate,
    "splice": _splice,
    "zeros": _zero,
    "extreme value": _extreme,
    "concatenation": _concatenate,
}


def mutate(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damages a copy of a content; returns it and the name of the way."""
    while content:
        name = rng.choice(list(MUTATIONS))
        changed = bytes(MUTATIONS[name](bytearray(content), rng))
        if changed != content:
            return changed, name
    return bytes([rng.randrange(256)]), "bytes"
