"""Everything that runs the service on one machine: the embedded AWS, the local host, the gateways' simulators."""
