"""Files that the commands write: where a person names something else than a file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from inventory.cli import main
from tests.patience import PATIENCE

pytestmark = pytest.mark.database


@pytest.mark.usefixtures("shell")
def test_list_goes_into_a_pipe_or_through_a_link_and_replaces_neither_nor_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As root a device that is named, /dev/stdout say, would be gone for everybody."""
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert main(["items", "sim", "--csv", str(pipe)]) == 0
    reader.join(PATIENCE)
    assert (pipe.is_fifo(), read[0].startswith(b"\xef\xbb\xbf")) == (True, True)
    link, behind = tmp_path / "link.csv", tmp_path / "behind.csv"
    link.symlink_to(behind)
    assert main(["items", "sim", "--csv", str(link)]) == 0
    assert (link.is_symlink(), behind.read_bytes()) == (True, read[0])
    capsys.readouterr()
    for folder in (str(tmp_path), "/"):
        assert main(["items", "sim", "--csv", folder]) == 1
        assert "cannot be written: Is a directory" in capsys.readouterr().err
