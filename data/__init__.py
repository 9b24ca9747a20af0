"""Lowest layer: configuration base, errors, seeds, schemas and the artifact store."""
