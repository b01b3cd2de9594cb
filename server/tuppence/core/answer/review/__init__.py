"""Reviews: read the findings of a reply, in any form, and locate them in the target."""
