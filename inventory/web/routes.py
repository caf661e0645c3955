"""The explicit list of page routers."""

from __future__ import annotations

from fastapi import APIRouter

from inventory.web import signing_in

ROUTERS: tuple[APIRouter, ...] = (signing_in.router,)
