"""The explicit list of page routers."""

from __future__ import annotations

from fastapi import APIRouter

from inventory.web import (
    count_page,
    delivery_pages,
    desk_acts,
    desk_pages,
    document_page,
    item_pages,
    load_pages,
    move_pages,
    signing_in,
    stock_page,
)

ROUTERS: tuple[APIRouter, ...] = (
    signing_in.router,
    stock_page.router,
    desk_pages.router,
    desk_acts.router,
    item_pages.router,
    load_pages.router,
    move_pages.router,
    delivery_pages.router,
    document_page.router,
    count_page.router,
)
