"""One small file for each venue that deviates, named by its ccxt id; see `tasks/sources/_quirks.py`."""
