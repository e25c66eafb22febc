"""Clients of the payment gateways; they know no table and no status rules."""
