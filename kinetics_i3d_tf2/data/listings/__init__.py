"""Videos as folders and annotation files list them."""
