"""`payfirst reconcile`: what the gateways collected and paid back beside what the shop made of it, to the minor unit."""
