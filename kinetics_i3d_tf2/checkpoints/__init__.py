"""Checkpoint files to model variables, and back."""
