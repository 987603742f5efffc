"""What the core needs of the world, as protocols, and the values that pass through them."""
