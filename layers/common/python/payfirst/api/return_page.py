"""The page to which a gateway sends the browser back. It proves nothing, so it claims nothing."""

from __future__ import annotations

from typing import Final

from payfirst.gateways.registry import GATEWAYS

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Thank you</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --back: #f5f7fa; --card: #fff; --soft: #5b6675 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --back: #12171e; --card: #1a212b; --soft: #9aa6b5 } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--back); color: var(--ink);
  font: 17px/1.55 system-ui, sans-serif }
main { background: var(--card); border-radius: 14px; padding: 32px; margin: 20px; max-width: 420px }
h1 { font-size: 24px; margin: 0 0 12px }
p { margin: 0 0 12px }
small { color: var(--soft) }
</style>
</head>
<body>
<main>
<h1>Thank you</h1>
<p>We are checking with {gateways} whether the payment went through. As soon as it has, your booking is made by itself.</p>
<p>You can go back to the shop now: it shows your booking, or says what else happened.</p>
<p><small>Nothing was paid? Then nothing was booked, and your cart is still there.</small></p>
</main>
</body>
</html>
"""


def return_page() -> str:
    """The page, with the names of the gateways that send browsers back."""
    return _PAGE.replace("{gateways}", " or ".join(each.terms.label for each in GATEWAYS if not each.terms.prompts_phone))
