"""Column chunks → decoded columns, by our own decoder: numbers of 4 or 8 bytes, strings, and codes of strings.

What it does not understand, damage included, is answered with None, and pyarrow reads the chunk. The bytes are read and
not mapped, because a file that is cut off under a mapping ends the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyflare.io.cache import Chunk
from pyflare.io.pages.decoder import Decoder
from pyflare.io.pages.kernels import current
from pyflare.io.pages.source import read_pages
from pyflare.types import Kind

if TYPE_CHECKING:
    from pyflare.io.chunktable import ChunkInfo
    from pyflare.io.columns import Layout
    from pyflare.io.conversions import Reading
    from pyflare.io.dictionaries import GrowingDictionary

_WIDTHS: Final = {"INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8}
_FLOATS: Final = {Kind.F32: "FLOAT", Kind.F64: "DOUBLE"}


def read_chunk(
    descriptor: int, info: ChunkInfo, reading: Reading, layout: Layout, dictionary: GrowingDictionary | None
) -> Chunk | None:
    """Decode a chunk of an open file, or leave it to pyarrow.

    Raises OSError if the file cannot be read, and `DictionaryOverflowError`.
    """
    kernels = current()
    if kernels is None or not _is_readable(reading, layout):
        return None
    is_optional = not reading.field.required
    pages = read_pages(kernels, descriptor, info, is_optional)
    if pages is None:
        return None
    decoder = Decoder(kernels, pages, info.rows, info.codec == "SNAPPY", is_optional)
    if dictionary is not None:
        return decoder.codes(dictionary)
    if layout.type.kind is Kind.STR:
        return decoder.strings()
    return decoder.numbers(layout, _WIDTHS[reading.field.physical])


def _is_readable(reading: Reading, layout: Layout) -> bool:
    """Whether a column is one for the decoder, as far as the footer tells."""
    field, kind = reading.field, layout.type.kind
    if reading.cast is not None or reading.factor != 1:
        return False
    if kind is Kind.STR:
        return field.physical == "BYTE_ARRAY"
    if kind in _FLOATS:
        return field.physical == _FLOATS[kind]
    is_unsigned = field.logical == "Int" and not field.parameter("isSigned")
    is_large = is_unsigned and field.parameter("bitWidth") >= 32
    return kind is Kind.INT and field.physical in ("INT32", "INT64") and not is_large
