from __future__ import annotations

import subprocess
import sys

import pytest

from inventory.access.passwords import hash_password, password_fits
from tests.conftest import ROOT


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_password_fits_its_own_hash_alone() -> None:
    kept = await hash_password("correct horse")
    assert await password_fits(kept, "correct horse")
    assert not await password_fits(kept, "wrong horse")
    assert not await password_fits(None, "correct horse")


@pytest.mark.e2e
def test_product_hashes_as_rfc_9106_recommends() -> None:
    """REQ-IF-03: not as the tests do, which sign in hundreds of times."""
    hashed = "asyncio.run(hash_password('a password'))"
    ask = f"import asyncio; from inventory.access.passwords import hash_password; print({hashed})"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
