"""The demonstration: drawn clips of eight actions."""
