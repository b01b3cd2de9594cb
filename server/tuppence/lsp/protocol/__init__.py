"""JSON-RPC over stdio: framing, requests under way, the lifecycle."""
