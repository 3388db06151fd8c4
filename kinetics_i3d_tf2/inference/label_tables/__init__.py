"""Tables of the labels of many videos: written as they are done, and resumable."""
