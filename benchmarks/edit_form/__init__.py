"""What a whole replacement and SEARCH/REPLACE blocks cost in answer tokens, on real changes of definitions."""
