"""Where data come from, one file per provider; files that begin with an underscore are shared."""
