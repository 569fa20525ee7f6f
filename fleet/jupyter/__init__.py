"""The edge towards the services of an environment: HTTP and WebSocket, from outside, as a person's browser comes."""
