"""The names of the commands that the menu's entries run, known before anything else is loaded."""

RUN = "tuppence.run"
STOP = "tuppence.stop"
APPLY = "tuppence.apply"
PUT_BACK = "tuppence.putBack"
DISMISS = "tuppence.dismiss"
CLEAR = "tuppence.clear"
FORGET = "tuppence.forget"
