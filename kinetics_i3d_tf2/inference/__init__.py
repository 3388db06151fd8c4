"""A trained model, used: clips in, scores out."""
