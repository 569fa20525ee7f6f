"""Network: VPC, subnets, ingress."""
