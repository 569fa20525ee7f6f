"""The edge towards files: what ships with the product, what the spec names on the caller's disk, and local caches."""
