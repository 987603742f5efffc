"""The record and the queue in a PostgreSQL database that any number of nodes share."""
