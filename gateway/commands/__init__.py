"""One short file for each command of `gateway`."""
