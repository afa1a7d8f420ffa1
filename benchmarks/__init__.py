"""What is timed: ratios against a peer in the same run, never seconds by themselves; not part of the tests."""
