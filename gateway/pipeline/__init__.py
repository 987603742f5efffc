"""The story of a prescription: the only place where the steps meet."""
