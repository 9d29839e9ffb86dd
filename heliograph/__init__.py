"""Heliograph: self-hosted SMS campaigns."""

__version__ = "0.1.0"
