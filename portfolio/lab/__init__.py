"""The policy lab: the production decision replayed over the past, a fast path for grids, honest statistics.

Pure like its parent; it may import the decision code, which never imports the lab.
"""
