"""A network that loses what is sent to a socket, and does not say so."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys


def drop(connection: socket.socket) -> None:
    """From now on nothing of what is sent to `connection` arrives, and nothing says so (a filter of packets: Linux only)."""
    if sys.platform == "linux":
        nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET with 0 bytes
        so_attach_filter = 26
        connection.setsockopt(socket.SOL_SOCKET, so_attach_filter, struct.pack("HP", 1, ctypes.addressof(nothing)))
