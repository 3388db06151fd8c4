"""Datasets as MediaSequence records: written by Apache Beam, read in any order."""
