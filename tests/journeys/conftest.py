"""Journeys start where a stranger does: at a server of their own."""

from __future__ import annotations

from tests.cli.conftest import serving as serving
