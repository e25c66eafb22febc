"""The template as CloudFormation gets it."""

from __future__ import annotations

from typing import Any

import pytest

from checks.aws.translated import translate
from tests.tools import need


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """What SAM makes of `template.yaml`; nobody changes it."""
    need("sam")
    return translate()
