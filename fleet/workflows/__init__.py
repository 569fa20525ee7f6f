"""One file per verb: observe -> plan -> apply. They return dataclasses, never print, never ask."""
