"""Account: permissions and checks."""
