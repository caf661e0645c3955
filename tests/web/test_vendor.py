"""Vendored files are the published ones: each hash is recomputed."""

from __future__ import annotations

import hashlib
import tomllib

from inventory.web.rendering import STATIC

VENDOR = STATIC / "vendor"


def test_every_vendored_file_has_the_hash_that_is_written_down() -> None:
    entries = tomllib.loads((VENDOR / "VENDOR.toml").read_text())["file"]
    found = {entry["path"]: hashlib.sha256((VENDOR / entry["path"]).read_bytes()).hexdigest() for entry in entries}
    assert found == {entry["path"]: entry["sha256"] for entry in entries}


def test_no_file_is_vendored_without_a_hash_but_the_licence_texts() -> None:
    entries = {entry["path"] for entry in tomllib.loads((VENDOR / "VENDOR.toml").read_text())["file"]}
    present = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert {path for path in present - entries if path.split("/")[-1] not in {"LICENSE", "NOTICE"}} == {"VENDOR.toml"}
