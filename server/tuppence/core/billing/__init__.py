"""Money as values: ledger entries, budgets, totals, reports."""
