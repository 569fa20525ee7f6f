"""What builds the product and is no part of it: a checkout has it, a wheel does not."""
