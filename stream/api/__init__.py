"""HTTP, WebSocket and server-sent-event routes."""
