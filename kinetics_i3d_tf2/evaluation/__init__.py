"""Accuracy of checkpoints on a dataset."""
