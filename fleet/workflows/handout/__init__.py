"""Handout: what each person is given."""
