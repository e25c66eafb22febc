"""Tests that start what they need on free ports of this machine."""
