"""How quick the server is: each figure a median, no figure a bar. The tests bound counts of work instead."""
