"""The gateways' simulators over real HTTP."""
