"""What the suites provoke on purpose besides: a request that comes twice, one item twice, paths that overlap."""

from __future__ import annotations

from typing import Any, Final

from tests.replay.outcomes import Case
from tests.replay.recording import TRANSACTION, Written

_KEY: Final = {"pk": {"S": "A#1"}, "sk": {"S": "A"}}
_OLD: Final = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
_PUT: Final[dict[str, Any]] = {
    "Put": {
        "Item": _KEY,
        "ConditionExpression": "attribute_not_exists(#pk)",
        "ExpressionAttributeNames": {"#pk": "pk"},
        **_OLD,
    }
}
_UPDATE: Final[dict[str, Any]] = {
    "Key": _KEY,
    "UpdateExpression": "SET #n = :v0 REMOVE #n",
    "ExpressionAttributeNames": {"#n": "n"},
    "ExpressionAttributeValues": {":v0": {"N": "1"}},
    **_OLD,
}
_DELETE: Final[dict[str, Any]] = {"Delete": {"Key": _KEY, **_OLD}}

PROVOKED: Final = (
    Case("sent again under its token", Written(TRANSACTION, {"TransactItems": [_PUT]}, (None,)), (None,), times=2),
    Case("sent again", Written("PutItem", _PUT["Put"], (None,)), (None,), frozenset({0}), times=2),
    Case("one item twice", Written(TRANSACTION, {"TransactItems": [_PUT, _DELETE]}, (None, None)), (None,)),
    Case("overlapping paths", Written("UpdateItem", _UPDATE, (None,)), (None,)),
)
