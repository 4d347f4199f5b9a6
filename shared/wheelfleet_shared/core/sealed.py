"""Values that hold secrets and never print them."""

from typing import ClassVar

import msgspec


class Sealed(msgspec.Struct, frozen=True):
    """A struct whose ``secret_fields`` come out of ``repr`` as ``***``, so no log or traceback shows them."""

    secret_fields: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if name in self.secret_fields and value else repr(value)}"
            for name, value in msgspec.structs.asdict(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"
