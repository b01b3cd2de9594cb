"""The cost report as text: JSON, CSV, or an HTML page. Pure: functions return text and perform no I/O."""
