"""Features of videos, and the Frechet Video Distance."""
