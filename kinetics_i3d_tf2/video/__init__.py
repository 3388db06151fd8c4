"""Video files to pixels and optical flow, in NumPy."""
