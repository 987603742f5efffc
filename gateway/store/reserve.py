"""A file that holds room on the disk, to be given up when work that was taken could otherwise not be finished.

Source: reliability-security.md I19.
"""

import errno
import os
from pathlib import Path
from typing import Final

FILE: Final = "reserve"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Reserve:
    """The reserve of one data folder.

    Args:
        data: the folder; it exists.
        size: of the reserve, in bytes; nought for none. Readable afterwards.
    """

    def __init__(self, data: Path, size: int) -> None:
        self._file = data / FILE
        self.size = size

    @property
    def held(self) -> bool:
        """Whether the room is held now."""
        try:
            return self.size > 0 and self._file.stat().st_size == self.size
        except FileNotFoundError:
            return False

    def hold(self) -> bool:
        """Take the room. Tells whether it is held; where the disk is too full it is not, and nothing of it stays.

        Raises:
            OSError: the folder cannot be written at all.
        """
        if self.size == 0 or self.held:
            return self.held
        file = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, self.size)
        except OSError as error:
            self.give_up()
            if error.errno in _FULL:
                return False
            raise
        finally:
            os.close(file)
        return True

    def give_up(self) -> None:
        """Let the room go."""
        self._file.unlink(missing_ok=True)
