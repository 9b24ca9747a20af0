"""What a person touches: the `pluralist` command."""
