"""The edge towards AWS: one file per kind of resource; takes and gives frozen dataclasses, never AWS dictionaries."""
