"""The HTML face: pages rendered on the server."""
