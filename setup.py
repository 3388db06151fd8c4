"""Package metadata; tools' settings are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
INIT = (HERE / "kinetics_i3d_tf2" / "__init__.py").read_text(encoding="utf-8")

setup(
    name="kinetics-i3d-tf2",
    version=re.search(r'__version__ = "(.+)"', INIT)[1],
    description="I3D for TensorFlow 2 and Keras 3, with the released checkpoints",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    keywords="I3D video action recognition Kinetics Keras TensorFlow",
    packages=find_packages(include=["kinetics_i3d_tf2", "kinetics_i3d_tf2.*"]),
    package_data={"kinetics_i3d_tf2": ["data/*.csv", "visualization/*.html"]},
    entry_points={"console_scripts": ["i3d = kinetics_i3d_tf2.cli.main:main"]},
    python_requires=">=3.10,<3.13",
    install_requires=[
        "tensorflow>=2.16.1,<2.22",
        "keras>=3.9.2,<4",  # Before, fit refuses datasets of a strategy
        "numpy>=1.26,<3",
        "absl-py>=2.0,<3",
        "av>=17.0,<19",  # PyAV, with its own FFmpeg; before, BT.709 was misread
        "opencv-contrib-python-headless>=4.8,<6",  # TV-L1 is in contrib
        "requests>=2.28,<3",
        "filelock>=3.12,<5",
        "google-crc32c>=1.5,<2",
        "h5py>=3.7,<4",
        "tensorboard>=2.16,<3",  # tf.summary writes through it
        "tqdm>=4.64,<5",
    ],
    extras_require={
        "cuda": ["tensorflow[and-cuda]>=2.16.1,<2.22"],
        # tensorflow-io's operations load beside TensorFlow 2.16 only.
        "io": ["tensorflow>=2.16.1,<2.17", "tensorflow-io==0.37.1"],
        "beam": ["apache-beam>=2.55,<3"],
        "serving": ["tensorflow-serving-api>=2.16,<3", "grpcio>=1.60,<2"],
        # Keras's own export; it reaches these formats in different versions.
        "onnx": ["tf2onnx>=1.17,<2", "onnx>=1.18,<2,!=1.19.0", "onnxruntime>=1.20,<2"],
        # Keras imports SciPy with OpenVINO.
        "openvino": ["keras>=3.13,<4", "openvino>=2026.0,<2027", "scipy>=1.11,<2"],
        "litert": ["keras>=3.15,<4", "ai-edge-litert>=2.1,<3"],
        "plot": ["matplotlib>=3.7,<4"],
        "docs": [
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.5,<10",
            "mkdocstrings[python]>=0.29,<2",
        ],
        "test": [
            "pytest>=8,<10",
            "pytest-xdist>=3.6,<4",
            "ruff>=0.9,<1",
            "build>=1.0,<2",
            "setuptools>=68",
            "jax>=0.4.30,<1",  # Keras's other backend
            "moto[server]>=5,<6",  # an S3 server, for the extra io
        ],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
