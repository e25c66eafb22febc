"""The pages' HTML: one style sheet, one small script that keeps the phones up to date, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from typing import Final

from local.simulators.ids import KOLKATA, NAIROBI, amount_text, masked_ref
from local.simulators.outcomes import Outcome, State
from local.simulators.records import MPESA, Attempt

_SYMBOLS: Final = {"KES": "KSh", "INR": "₹"}
_MPESA_BUTTONS: Final = {
    Outcome.PAY: "Enter PIN and pay",
    Outcome.CANCEL: "Cancel",
    Outcome.WRONG_PIN: "Wrong PIN",
    Outcome.INSUFFICIENT_FUNDS: "Low balance",
    Outcome.TIMEOUT: "No answer",
    Outcome.FAIL: "Network fails",
    Outcome.PENDING: "Leave it working",
}
_PHONEPE_BUTTONS: Final = {
    Outcome.PAY: "Pay",
    Outcome.CANCEL: "Decline",
    Outcome.WRONG_PIN: "Wrong UPI PIN",
    Outcome.INSUFFICIENT_FUNDS: "Low balance",
    Outcome.TIMEOUT: "Let it expire",
    Outcome.FAIL: "Bank fails",
    Outcome.PENDING: "Leave it working",
}
_ENDINGS: Final = {
    "pay": "paid",
    "cancel": "cancelled",
    "wrong_pin": "wrong PIN",
    "insufficient_funds": "not enough money",
    "timeout": "no answer",
    "fail": "failed",
}

_STYLE: Final = """
:root{color-scheme:light dark;--page:#f2f4f3;--card:#fff;--ink:#17201c;--soft:#5d6a64;--line:#dde3e0;
--mpesa:#0a7d3c;--phonepe:#5f259f;--bad:#a3282f}
@media(prefers-color-scheme:dark){:root{--page:#111614;--card:#1b2320;--ink:#e8eeeb;--soft:#9aa8a1;--line:#2e3935;
--mpesa:#2fb56a;--phonepe:#b387ee;--bad:#f0868c}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main{max-width:68rem;margin:0 auto;padding:1rem}
header{padding-top:1.5rem;padding-bottom:0}
h1{font-size:1.35rem;margin:0}
h2{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:1.5rem 0 .6rem}
p{margin:.25rem 0}
.soft{color:var(--soft);font-size:.875rem}
.cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr))}
.card{background:var(--card);border:1px solid var(--line);border-radius:1rem;overflow:hidden}
.bar{padding:.55rem 1rem;color:#fff;font-weight:600;display:flex;justify-content:space-between;gap:1rem}
.mpesa .bar{background:#0a7d3c}.phonepe .bar{background:#5f259f}
.body{padding:1rem}
.amount{font-size:1.75rem;font-weight:700;margin:.1rem 0 .3rem;font-variant-numeric:tabular-nums}
form{display:grid;grid-template-columns:1fr 1fr;gap:.5rem;margin-top:.9rem}
button{font:inherit;font-size:.9rem;min-height:2.75rem;padding:.4rem .5rem;border-radius:.6rem;border:1px solid var(--line);
background:transparent;color:inherit;cursor:pointer}
button:hover{border-color:currentColor}
button[value=pay]{grid-column:1/-1;border:0;color:#fff;font-weight:600;font-size:1rem}
.mpesa button[value=pay]{background:#0a7d3c}.phonepe button[value=pay]{background:#5f259f}
button:focus-visible,a:focus-visible{outline:3px solid #e0a100;outline-offset:2px}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.8rem;overflow-wrap:anywhere}
table{width:100%;border-collapse:separate;background:var(--card);border:1px solid var(--line);border-radius:1rem;
overflow:hidden;
border-spacing:0}
td{padding:.55rem .8rem;border-top:1px solid var(--line);vertical-align:baseline}
tr:first-child td{border-top:0}
td.money{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.paid{color:var(--mpesa);font-weight:600}.unpaid{color:var(--bad)}
.empty{border:1px dashed var(--line);border-radius:1rem;padding:1.5rem;text-align:center;color:var(--soft)}
.letters p{margin:0;padding:.75rem 1rem;border-top:1px solid var(--line)}.letters p:first-child{border-top:0}
.letters a{font-weight:600;text-decoration:none}.letters a:hover{text-decoration:underline}
iframe{display:block;width:100%;height:40rem;border:1px solid var(--line);border-radius:1rem;background:#fff;margin-top:1rem}
pre{white-space:pre-wrap;background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:1rem;margin:0}
.narrow{max-width:27rem;margin:0 auto;padding:1rem}
a{color:inherit}
#link:empty{display:none}
@media(max-width:40rem){td.wide{display:none}}
"""

# The page is fetched again and only put in place when it differs, so that no button moves under a finger.
_SCRIPT: Final = """
let shown=document.querySelector('main').innerHTML;
setInterval(async()=>{try{const answer=await fetch('/',{cache:'no-store'});
const next=new DOMParser().parseFromString(await answer.text(),'text/html').querySelector('main').innerHTML;
if(next!==shown){shown=next;document.querySelector('main').innerHTML=next}
document.querySelector('#link').textContent=''}
catch{document.querySelector('#link').textContent='The simulators do not answer.'}},1500);
"""


def _document(title: str, content: str, *, refreshing: bool) -> str:
    renewal = '<noscript><meta http-equiv="refresh" content="3"></noscript>' if refreshing else ""
    script = f"<script>{_SCRIPT}</script>" if refreshing else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"{renewal}<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{content}{script}</body></html>"
    )


def _money(attempt: Attempt) -> str:
    whole, _, cents = amount_text(attempt.amount).partition(".")
    return f"{_SYMBOLS[attempt.currency]} {int(whole):,}.{cents}"


def _clock(attempt: Attempt, instant: float) -> str:
    zone, name = (NAIROBI, "EAT") if attempt.gateway == MPESA else (KOLKATA, "IST")
    return f"{datetime.fromtimestamp(instant, UTC).astimezone(zone):%H:%M:%S} {name}"


def _buttons(attempt: Attempt) -> str:
    labels = _MPESA_BUTTONS if attempt.gateway == MPESA else _PHONEPE_BUTTONS
    return "".join(
        f'<button name="outcome" value="{outcome}">{label}</button>'
        for outcome, label in labels.items()
        if not (attempt.working and outcome is Outcome.PENDING)
    )


def _facts(attempt: Attempt) -> str:
    lines = [f"{'To' if attempt.gateway == MPESA else 'For'} <b>{escape(attempt.merchant)}</b>"]
    if attempt.label:
        lines[0] += f", {'account' if attempt.gateway == MPESA else ''} <b>{escape(attempt.label)}</b>"
    times = f"asked at {_clock(attempt, attempt.created_at)}"
    if attempt.expires_at is not None:
        times += f", until {_clock(attempt, attempt.expires_at)}"
    if attempt.working:
        times += ", being worked on"
    return f'<p>{lines[0]}</p><p class="soft">{times}</p><p class="soft mono">{escape(masked_ref(attempt.ref))}</p>'


def _card(attempt: Attempt) -> str:
    mpesa = attempt.gateway == MPESA
    page = "" if mpesa else f'<p class="soft"><a href="/phonepe/pay/{attempt.page_token}">Open its pay page</a></p>'
    return (
        f'<article class="card {attempt.gateway}"><div class="bar"><span>{"M-PESA" if mpesa else "PhonePe"}</span>'
        f"<span>{escape(attempt.phone) if mpesa else ''}</span></div>"
        f'<div class="body"><p class="amount">{_money(attempt)}</p>{_facts(attempt)}{page}'
        f'<form method="post" action="/answer"><input type="hidden" name="gateway" value="{attempt.gateway}">'
        f'<input type="hidden" name="ref" value="{escape(attempt.ref)}">{_buttons(attempt)}</form></div></article>'
    )


def _ending(attempt: Attempt) -> str:
    word = _ENDINGS.get(attempt.outcome or "", attempt.state.value.lower())
    code = f" ({escape(attempt.result_code)})" if attempt.result_code not in (None, "0") else ""
    css = "paid" if attempt.state is State.COMPLETED else "unpaid"
    return f'<span class="{css}">{escape(word)}{code}</span>'


def _row(attempt: Attempt) -> str:
    name = "M-Pesa" if attempt.gateway == MPESA else "PhonePe"
    return (
        f'<tr><td class="wide">{_clock(attempt, attempt.decided_at or attempt.created_at)}</td><td>{name}</td>'
        f'<td class="money">{_money(attempt)}</td><td>{_ending(attempt)}</td>'
        f'<td class="wide mono">{escape(attempt.receipt or "")}</td></tr>'
    )


def phones_page(open_attempts: Sequence[Attempt], history: Sequence[Attempt]) -> str:
    """The customer's phones: open prompts and pay pages with a button for each outcome, then what was decided lately."""
    by_gateway = sorted(open_attempts, key=lambda attempt: (attempt.gateway, -attempt.seq))
    sections = []
    for gateway, attempts in groupby(by_gateway, key=lambda attempt: attempt.gateway):
        heading = "M-Pesa prompts" if gateway == MPESA else "PhonePe pay pages"
        sections.append(f'<h2>{heading}</h2><div class="cards">{"".join(map(_card, attempts))}</div>')
    if not sections:
        sections.append('<h2>Open</h2><div class="empty">No prompt and no pay page is open.</div>')
    if history:
        sections.append(f"<h2>Decided</h2><table>{''.join(map(_row, history))}</table>")
    header = (
        "<header><h1>The customer's phone</h1>"
        '<p class="soft">Simulated M-Pesa and PhonePe. No money moves. '
        '<a href="/mail">Mail</a> <a href="/control">Controls</a></p>'
        '<p class="unpaid" id="link" role="status"></p></header>'
    )
    return _document("The customer's phone", f"{header}<main>{''.join(sections)}</main>", refreshing=True)


def pay_page(attempt: Attempt) -> str:
    """PhonePe's pay page of one order: buttons while it is open, afterwards how it ended and the way back."""
    if attempt.state is State.PENDING:
        action = f'<form method="post">{_buttons(attempt)}</form>'
    else:
        back = ""
        if attempt.redirect_url.startswith(("http://", "https://")):
            back = f'<p><a href="{escape(attempt.redirect_url)}">Back to the shop</a></p>'
        action = f"<p>This order is {_ending(attempt)}.</p>{back}"
    content = (
        f'<main class="narrow"><article class="card phonepe"><div class="bar"><span>PhonePe</span><span>simulated</span></div>'
        f'<div class="body"><p class="amount">{_money(attempt)}</p>{_facts(attempt)}{action}</div></article></main>'
    )
    return _document(f"Pay {_money(attempt)}", content, refreshing=False)


def message_page(text: str) -> str:
    """One sentence."""
    return _document(text, f'<main class="narrow"><div class="empty">{escape(text)}</div></main>', refreshing=False)


def page(title: str, content: str) -> str:
    """A plain page; `content` is HTML whose texts are escaped already."""
    return _document(title, f"<header><h1>{escape(title)}</h1></header><main>{content}</main>", refreshing=False)
