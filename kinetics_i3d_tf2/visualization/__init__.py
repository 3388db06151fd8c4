"""Charts, images and pages."""
