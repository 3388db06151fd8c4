"""Whether a video file ends where its format says, from its first and last bytes."""
