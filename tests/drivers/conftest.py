"""Readers to test drivers on."""

from __future__ import annotations

from tests.drivers.fixtures import bench, pcsc_service

__all__ = ["bench", "pcsc_service"]
