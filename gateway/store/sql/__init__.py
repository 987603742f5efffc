"""The statements that every engine runs, and the rules that hold for each write."""
