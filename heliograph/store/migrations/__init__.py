"""The schema, step by step; read by :mod:`heliograph.store.migrate`."""
