"""Checks that decide whether an answer may be kept: one check per module, with a reason that names its finding."""
