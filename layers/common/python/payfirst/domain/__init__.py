"""The rules of the shop and its money; the standard library only."""
