"""gzip without compression, the same bytes with every zlib.

zlib and zlib-ng cut even stored data into different blocks, and the header's fields depend on
the Python release; here both are fixed (RFC 1951 §3.2.4, RFC 1952).
"""

import zlib
from typing import IO

_HEADER = b"\x1f\x8b\x08\x00" + b"\0\0\0\0" + b"\x00\xff"
_BLOCK = 0xFFFF


class StoredGzip:
    """A sink that passes on what is written as stored blocks of 65,535 bytes.

    The header holds neither name nor time. ``close`` must be called; it leaves the sink below open.
    """

    def __init__(self, below: IO[bytes]) -> None:
        self._below = below
        self._pending = bytearray()
        self._crc = 0
        self._size = 0
        below.write(_HEADER)

    def write(self, data: bytes) -> int:
        """All bytes are taken; their number."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._pending += data
        while len(self._pending) > _BLOCK:
            self._block(final=False)
        return len(data)

    def tell(self) -> int:
        """How many bytes were written, before gzip."""
        return self._size

    def close(self) -> None:
        """The last block, the checksum and the size stand; nothing may be written after."""
        self._block(final=True)
        self._below.write(self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little"))

    def _block(self, *, final: bool) -> None:
        data = bytes(self._pending[:_BLOCK])
        del self._pending[:_BLOCK]
        size = len(data)
        self._below.write(bytes([final]) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data)
