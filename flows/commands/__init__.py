"""The commands, one file each; flows/cli.py loads the one that is asked for."""
