"""Files to arrays and back: readers, encodings, model files."""
