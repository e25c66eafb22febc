"""Cannot be loaded."""

raise RuntimeError("this module cannot be imported")
