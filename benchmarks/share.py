"""A process that gets a share of one processor, as a function in Lambda gets that of its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

SHARE: Final = 512 / 1769
"""Of one processor: what 512 MB of Lambda have, where 1,769 MB have a whole one (AWS's page about memory)."""
_PERIOD_US: Final = 20_000
_GROUPS: Final = Path("/sys/fs/cgroup")


@contextmanager
def held(pid: int) -> Iterator[None]:
    """The process with all its threads is stopped whenever it has had its share of 20 ms. OSError without root or cgroups."""
    first = (_GROUPS / "cpu").is_dir()  # the first version of control groups, or the second
    group = (_GROUPS / "cpu" if first else _GROUPS) / f"payfirst-bench-{uuid4().hex}"
    quota = int(_PERIOD_US * SHARE)
    group.mkdir()
    try:
        if first:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(pid))
        group.rmdir()
