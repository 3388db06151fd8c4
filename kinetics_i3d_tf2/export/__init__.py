"""Models as SavedModels and in other runtimes' formats."""
