"""What the user asked for: the file's form, the models, and the faults. Pure data and validation.

`fleet.spec.load` turns a file's bytes into `fleet.spec.model.FleetSpec`. Nothing is imported here,
so that a command that reads no spec does not pay for pydantic.

To add a key, add an attribute to the model of its map (`FleetSpec`, `ImageSelector`, `Instances`, `Volume`, `Access`,
`Bootstrap`, or a step or test of a recipe). Its type is the rule: one of `typed`, a Literal, or a model. A `Doc` beside
the type in `Annotated` says what the key means, with an example and what holds without it; a number also says its
range (`Whole`). The reader, the JSON Schema, the reference page and the messages follow (`keys`). Leave a key that is
not written out of `FleetSpec.digest`, so that the digests of older specs stay. Then `make docs`, and a case each in
`tests/spec/good` and `tests/spec/broken`.
"""
