"""The tests; a regular package, since torch-fidelity installs one of the same name."""
