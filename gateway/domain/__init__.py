"""The rules of the domain: frozen values and tables. Standard library only."""
