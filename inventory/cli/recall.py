"""`haoka recall`: take items one level up (回收)."""

from __future__ import annotations

from inventory.cli.moves import move_app

app = move_app("recall", "Recall items to the direct parent, with a document.", person_field="returner_name")
