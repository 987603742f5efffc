"""Measurements. Every figure is printed beside another one taken in the same run, because machines differ."""
