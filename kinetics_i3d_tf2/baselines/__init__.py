"""The other four architectures that the paper compares with I3D, figure 2 (a-d)."""
