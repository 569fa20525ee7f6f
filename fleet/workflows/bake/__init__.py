"""A bake, from a recipe to an image that has been tried: `plan`, then `apply`, which uses the others in this order.

source (a copy of an environment's disk), builder (steps, tests, scan, sanitising) on a bench (its host), image,
trial, finish (copies, accounts, old images).
"""
