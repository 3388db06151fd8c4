"""TensorFlow pipelines: batches of clips, their views, and tf.data service."""
