"""Reviews: the findings of a reply, in whatever form it gives them, and the places that they are about."""
