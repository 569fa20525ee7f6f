"""What an image is made by: the recipe's form, the models, and the faults. Pure data and validation.

`fleet.recipe.load` turns a file's bytes into `fleet.recipe.model.Recipe`.
"""
