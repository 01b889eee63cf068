"""Keys of our own entries in the metadata of an ONNX file; known to the writer, who needs no parser."""

OURS = "fairneuron-classifier-1"
NAMES = "feature_names"
