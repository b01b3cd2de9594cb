"""Whether an answer may be kept: one check a module, each with a reason that names what it found."""
