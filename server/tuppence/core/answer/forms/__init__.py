"""The forms in which replies give code: SEARCH/REPLACE blocks, diffs, JSON, numbered lines."""
