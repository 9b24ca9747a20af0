"""The paper's results as functions of numbers: nothing here samples, reads or writes."""
