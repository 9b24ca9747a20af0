"""A package, so that the `tests` another distribution installs does not hide this folder."""
