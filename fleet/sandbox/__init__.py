"""EC2 in a box: a fake EC2 behind an endpoint URL, and hosts that really boot. No layer of the product knows of it."""
