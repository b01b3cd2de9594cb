"""The cost report in writing: JSON, a sheet of receipts, a page. Pure: texts come out, and nobody is asked anything."""
