"""The names of the commands that the menu's entries run, known before anything else is loaded."""

RUN = "tuppence.run"
STOP = "tuppence.stop"
DISMISS = "tuppence.dismiss"
CLEAR = "tuppence.clear"
