"""Commands: flags, and one call each."""
