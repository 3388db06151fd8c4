"""Flags that several programs share, in groups: declared, checked, and applied."""
