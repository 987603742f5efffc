"""Prints what one prescription costs, stage by stage."""

from bench.stages import rows, table

if __name__ == "__main__":
    print(table(rows()))
