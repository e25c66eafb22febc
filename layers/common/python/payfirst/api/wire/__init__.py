"""What goes over the wire: one file per family of requests and answers."""
