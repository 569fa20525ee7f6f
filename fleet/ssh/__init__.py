"""The edge towards hosts: one connection and one channel each; host keys are never accepted in silence."""
