"""Rules that make the gateways misbehave, or decide by themselves; `POST /control/script` takes one.

A rule says for which requests it holds (`gateway`, `call`, `phone`, `amount`, `ref`; what is left out matches everything), how
often (`times`; every nth match with `every`), and one or both of two things:

*How a request is answered* - `answer`, `answer_delay_s`, `done`:
    lost              the connection is closed without an answer
    html_502, empty_500, empty_503, internal_error
    token_dead        the token that was presented dies: 404 404.001.03 (M-Pesa), 401 (PhonePe)
    result            (query) the decided code is hidden behind `result_code`
    pending           (query, status) 4999, or state PENDING, whatever is true
    being_processed, does_not_exist   (query) the two forms of HTTP 500 500.001.1001
    lock, wrong_credentials, merchant_missing, busy, spike_arrest, spike_arrest_fault, quota, no_product, refused  (M-Pesa)
    duplicate_order, rate_limit, not_found   (PhonePe: 417, 429, "No entry found")
    wrong_keys        (token) 400 without a body (M-Pesa), INVALID_CLIENT (PhonePe)
`done` says whether the ledger records the request before it is answered so; it is true for `lost` and false for all others
unless given: `{"answer": "html_502", "done": true}` is "done, then a bad gateway". `answer_delay_s` alone only slows down.
A request whose access token is dead is refused for that alone and uses up no rule.

*What becomes of a payment* (call push or pay) - `outcome`, `after_s`, `notices`, `delay_s`, `result_code`, `variant`, `early`:
    outcome     pay, cancel, wrong_pin, insufficient_funds, timeout, fail, pending
    after_s     seconds until the payer decides; PENDING for so long, then the end
    notices     how many, or a list with one object per notice: `{"after_s": 3, "kind": "wrong_amount", "variant": "..."}`;
                0 decides without telling, 2 doubles, a list with unequal `after_s` reorders
    delay_s     seconds from the decision to the notices
    early       decided at once, and the notices arrive before the request itself is answered
    result_code M-Pesa: another ResultCode for an outcome that is not `pay`
    variant     M-Pesa: the shape of the notice; without it every notice takes the next one

Kinds of notice: `true`; forged ones that no gateway sent, `wrong_token`, `wrong_amount`, `wrong_receipt` (one that does not
exist), `used_receipt` (one of another payment), `wrong_ids`; and contradictions, `failed` (says cancelled) and `paid` (claims
success with a receipt that does not exist).

For calls refund and reversal, `outcome` decides how they end: `pay` succeeds, `fail` fails, `pending` stays open.
The newest matching rule wins, for each of the two things by itself.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local.simulators.outcomes import Outcome

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Call = Literal[
    "token",
    "push",
    "query",
    "reversal",
    "transactionstatus",
    "pay",
    "status",
    "refund",
    "refund_status",
]
GatewayWord = Literal["mpesa", "phonepe"]


class Answer(StrEnum):
    """Ways to answer a request that are not the true one."""

    LOST = "lost"
    HTML_502 = "html_502"
    EMPTY_500 = "empty_500"
    EMPTY_503 = "empty_503"
    INTERNAL_ERROR = "internal_error"
    TOKEN_DEAD = "token_dead"  # noqa: S105 - a word, not a secret
    WRONG_KEYS = "wrong_keys"
    RESULT = "result"
    PENDING = "pending"
    BEING_PROCESSED = "being_processed"
    DOES_NOT_EXIST = "does_not_exist"
    LOCK = "lock"
    WRONG_CREDENTIALS = "wrong_credentials"
    MERCHANT_MISSING = "merchant_missing"
    BUSY = "busy"
    SPIKE_ARREST = "spike_arrest"
    SPIKE_ARREST_FAULT = "spike_arrest_fault"
    QUOTA = "quota"
    NO_PRODUCT = "no_product"
    REFUSED = "refused"
    DUPLICATE_ORDER = "duplicate_order"
    RATE_LIMIT = "rate_limit"
    NOT_FOUND = "not_found"


class Kind(StrEnum):
    """What a notice says; all but `true` are lies."""

    TRUE = "true"
    WRONG_TOKEN = "wrong_token"  # noqa: S105 - a word, not a secret
    WRONG_AMOUNT = "wrong_amount"
    WRONG_RECEIPT = "wrong_receipt"
    USED_RECEIPT = "used_receipt"
    WRONG_IDS = "wrong_ids"
    FAILED = "failed"
    PAID = "paid"


class Variant(StrEnum):
    """Shapes of one and the same STK callback that are seen in the wild."""

    PLAIN = "plain"
    BALANCE_WITHOUT_VALUE = "balance_without_value"
    BALANCE_AS_TEXT = "balance_as_text"
    OTHER_ORDER = "other_order"
    WHOLE_AMOUNT = "whole_amount"
    PREFIXED = "prefixed"
    CODE_AS_TEXT = "code_as_text"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoticeIn(_Strict):
    """One notice of a list."""

    after_s: Seconds = 0
    kind: Kind = Kind.TRUE
    variant: Variant | None = None


def _check_result_code(outcome: Outcome, code: str | None) -> None:
    if code is not None and outcome in {Outcome.PAY, Outcome.PENDING}:
        raise ValueError("result_code needs an outcome other than pay and pending")
    if code == "0":
        raise ValueError("result_code 0 is the outcome pay")


class _Telling(_Strict):
    """What may be said of an end besides the outcome."""

    notices: Annotated[int, Field(ge=0, le=20)] | list[NoticeIn] | None = None
    delay_s: Seconds = 0
    after_s: Seconds = 0
    result_code: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    variant: Variant | None = None
    early: bool = False


class Ending(_Telling):
    """How a payment is to end and who is told; see the head of this module."""

    outcome: Outcome

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_result_code(self.outcome, self.result_code)
        return self

    def notice_list(self) -> list[NoticeIn]:
        """The notices one by one, `delay_s` included; one if nothing was said, none for a payment left pending."""
        if isinstance(self.notices, list):
            return [notice.model_copy(update={"after_s": notice.after_s + self.delay_s}) for notice in self.notices]
        count = self.notices if self.notices is not None else (0 if self.outcome is Outcome.PENDING else 1)
        return [NoticeIn(after_s=self.delay_s, variant=self.variant)] * count


class Rule(_Telling):
    """One scripted behaviour; see the head of this module."""

    gateway: GatewayWord | None = None
    call: Call | None = None
    phone: Annotated[str, Field(pattern=r"^254\d{9}$")] | None = None
    amount: Annotated[Decimal, Field(gt=0, decimal_places=2)] | None = None
    ref: str | None = None
    times: Annotated[int, Field(ge=1)] | None = None
    every: Annotated[int, Field(ge=1)] = 1
    answer: Answer | None = None
    answer_delay_s: Seconds = 0
    done: bool | None = None
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.answer is None and self.outcome is None and not self.answer_delay_s:
            raise ValueError("a rule needs an answer, an answer_delay_s or an outcome")
        if self.answer is Answer.RESULT and self.result_code is None:
            raise ValueError("the answer result needs a result_code")
        if self.outcome is not None and self.answer is not Answer.RESULT:
            _check_result_code(self.outcome, self.result_code)
        if self.gateway is not None and self.call in CALLS_OF_OTHERS[self.gateway]:
            raise ValueError(f"{self.gateway} has no call {self.call}")
        if self.answer in _NEEDS_CALL and self.call != _NEEDS_CALL[self.answer]:
            raise ValueError(f"the answer {self.answer} needs the call {_NEEDS_CALL[self.answer]}")
        if self.answer is Answer.PENDING and self.call not in _NEEDS_STATUS_CALL:
            raise ValueError("the answer pending needs the call query, status or refund_status")
        only_truth = isinstance(self.notices, int | None) or all(n.kind is Kind.TRUE for n in self.notices)
        if self.call in _MONEY_BACK and not only_truth:
            raise ValueError(f"notices of {self.call} can only be true")
        if self.early and (self.after_s or self.call in _MONEY_BACK):
            raise ValueError("early is for a payment that is decided at once")
        return self

    def gateways(self) -> list[GatewayWord]:
        """The gateways whose requests it can match."""
        return [
            gateway
            for gateway, others in CALLS_OF_OTHERS.items()
            if self.gateway in (None, gateway) and self.call not in others
        ]

    def ending(self) -> Ending | None:
        """The part that decides a payment."""
        if self.outcome is None:
            return None
        hides = {"result_code"} if self.answer is Answer.RESULT else set[str]()
        return Ending.model_validate(self.model_dump(include=Ending.model_fields.keys() - hides))


CALLS_OF_OTHERS: Final[dict[GatewayWord, frozenset[Call]]] = {
    "mpesa": frozenset({"pay", "status", "refund", "refund_status"}),
    "phonepe": frozenset({"push", "query", "reversal", "transactionstatus"}),
}
_MONEY_BACK: Final = frozenset({"refund", "reversal"})
_NEEDS_CALL: Final[dict[Answer | None, str]] = {
    Answer.RESULT: "query",
    Answer.BEING_PROCESSED: "query",
    Answer.DOES_NOT_EXIST: "query",
    Answer.WRONG_KEYS: "token",
}
_NEEDS_STATUS_CALL: Final = frozenset({"query", "status", "refund_status"})
