"""What the tree tests share: mounts, servers, waiting, and what a recording should give."""
