"""Tells named people outside the console, by mail and by webhook, until somebody takes what waits."""
