"""What a sender is told, in its own format."""
