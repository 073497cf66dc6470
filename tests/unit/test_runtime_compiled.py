"""Only one process at a time compiles what librosa keeps compiled."""

import pytest
from filelock import FileLock

from shared.errors import MienError
from shared.runtime.compiled import compile_librosa, lock_file


def test_who_compiles_waits_for_another_that_does() -> None:
    with FileLock(lock_file()), pytest.raises(MienError, match="NUMBA_CACHE_DIR"):
        compile_librosa(wait_s=0)
    compile_librosa(wait_s=60)
