"""Training by a recipe, resumable at any step."""
