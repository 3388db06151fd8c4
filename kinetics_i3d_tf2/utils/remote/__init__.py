"""Files at addresses (s3://, gs://, http://), through fsspec. `files` calls it."""
