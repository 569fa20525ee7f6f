"""botocore's models, read once for all sessions of the test process: EC2's alone takes a tenth of a second.

A process of the product's opens one session; tests open hundreds.
"""

from __future__ import annotations

from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class _ReadOnce(JSONFileLoader):
    """Keeps what it has read, for every loader. What a loader adds to a model, it adds to any in the same way."""

    _read: dict[str, Any] = {}  # noqa: RUF012 - one for all of them is the point

    def load_file(self, file_path: str) -> Any:
        if file_path not in self._read:
            self._read[file_path] = super().load_file(file_path)
        return self._read[file_path]


Loader.FILE_LOADER_CLASS = _ReadOnce
