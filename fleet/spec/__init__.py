"""What the user asked for: the file's form, the models, and the faults. Pure data and validation.

`fleet.spec.load` turns a file's bytes into `fleet.spec.model.FleetSpec`. Nothing is imported here,
so that a command that reads no spec does not pay for pydantic.
"""
