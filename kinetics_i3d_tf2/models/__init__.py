"""The networks: I3D and the paper's other architectures, in Keras alone."""
