"""Methods of fairlearn on the same networks, as peers to measure against; it is imported when one of them runs."""
