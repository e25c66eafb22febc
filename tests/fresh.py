"""What a process makes once is forgotten between tests whose environments differ."""

from __future__ import annotations

import sys

from aws_lambda_powertools.utilities.parameters import clear_caches


def forget() -> None:
    """Forget every setting, client and answer that a module of PayFirst keeps for its process, however it is called."""
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] == "payfirst":
            for kept in tuple(vars(module).values()):
                if hasattr(kept, "cache_clear"):
                    kept.cache_clear()
    clear_caches()  # type: ignore[no-untyped-call]
