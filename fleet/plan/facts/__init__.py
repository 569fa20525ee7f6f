"""Facts: what was observed, frozen, by subject. `aws/` makes them, `plan/` reads them; AWS dictionaries stop here."""
