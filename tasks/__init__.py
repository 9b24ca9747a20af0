"""One stage of an iteration a file: a pure function of arrays and a thin Prefect task."""
