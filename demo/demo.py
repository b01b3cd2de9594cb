"""The main job on the embedded model; being built."""
