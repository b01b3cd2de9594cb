"""Functions in six languages, how hard each is to a reader, and how well the counts of the product order them."""
