"""Datasets, records and batches."""
