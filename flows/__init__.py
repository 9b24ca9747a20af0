"""What a person starts: the loop, one flow per domain and the parent over several runs."""
