"""`haoka issue`: hand items one level down (发放)."""

from __future__ import annotations

from inventory.cli.moves import move_app

app = move_app("issue", "Issue items to a direct child, with a document.")
