"""The command ``demo``: a server of its own with a clean data folder, and campaigns run through the real API."""
