"""How much memory something takes that is done again and again."""

import statistics
from collections.abc import Callable
from typing import Any

import psutil


def measure_memory(work: Callable[[int], Any], times: int) -> dict[str, float]:
    """Do something so many times and return what this process then held, MB.

    Args:
        work: What is done; it is told how often it was done before.
        times: How often.

    Returns:
        ``memory_mb``, the peak; ``memory_growth_mb``, the median of the last tenth over that of the second.
    """
    process, resident = psutil.Process(), []
    for time in range(times):
        work(time)
        resident.append(process.memory_info().rss / 1e6)
    tenth = max(1, len(resident) // 10)
    first, last = (statistics.median(part) for part in (resident[tenth : 2 * tenth], resident[-tenth:]))
    return {"memory_mb": max(resident), "memory_growth_mb": last - first}
