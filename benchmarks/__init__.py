"""What the service costs, in modules, instructions, requests, units and time, beside other ways to build the same."""
