"""I3D weights out of the files of other implementations."""
