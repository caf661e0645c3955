"""`haoka transfer`: hand items sideways (调拨)."""

from __future__ import annotations

from inventory.cli.moves import move_app

app = move_app("transfer", "Transfer items to another child of the same parent, with a document.")
