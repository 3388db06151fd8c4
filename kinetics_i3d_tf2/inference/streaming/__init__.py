"""I3D on frames as they come, for clips of any length and live video."""
