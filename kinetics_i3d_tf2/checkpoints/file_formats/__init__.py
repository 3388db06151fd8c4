"""The files of TensorFlow's checkpoints, read and written by the name of a tensor."""
