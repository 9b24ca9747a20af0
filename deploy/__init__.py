"""How it runs beside others: the Prefect server a run talks to."""
