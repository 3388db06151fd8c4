"""Kills every program that writes, and compares what resuming it gives."""
