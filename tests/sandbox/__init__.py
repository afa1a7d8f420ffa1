"""The sandbox, tested over its own HTTP."""
