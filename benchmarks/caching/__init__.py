"""How well prompts hit caches: recorded.py by the providers' published rules, served.py on a real model server."""
