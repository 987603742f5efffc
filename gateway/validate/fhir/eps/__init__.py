"""The rules of the EPS dialect that no profile can say: across resources, and by the message they stand in."""
