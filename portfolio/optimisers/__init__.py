"""One allocation method per file; the file name is its name in the configuration.

Each offers `optimise(problem) -> Solution` and may offer `resolve(problem) -> weights`, a quicker way to the
same weights for re-solving perturbed problems.
"""
