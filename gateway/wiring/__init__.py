"""Names the concrete classes, joins them, and runs them in one loop."""
