"""The edge towards the services of an environment: their certificates, and HTTP and WebSocket as a browser comes."""
