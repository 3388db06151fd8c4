"""Packets of a video file, and what is missing between them."""
