"""TV-L1 optical flow on CPU: OpenCV's DualTVL1, its loops compiled by Numba."""

from .dual_tvl1 import DualTVL1, Stopped, compile_kernels, is_compiled

__all__ = ["DualTVL1", "Stopped", "compile_kernels", "is_compiled"]
