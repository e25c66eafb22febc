"""Every shape of write that the suites make, with each outcome that it can have, on two engines that must agree."""
