"""The contents of a virtual card: files, codes, keys, sequence numbers; saved so that a torn card keeps its bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Self

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.algorithms import algorithm, config_of
from cardwriter.crypto.secret import Secret
from cardwriter.virtual.faults import Fault
from cardwriter.virtual.scp03 import ChannelKeys

_OWNER_ONLY = 0o600


@dataclass
class FileImage:
    """One EF: `rule` is the record of EF.ARR that guards it; `record_length` 0 makes it transparent."""

    content: bytes = field(repr=False)
    rule: int
    sfi: int | None = None
    record_length: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the file as JSON-ready values."""
        return {**vars(self), "content": self.content.hex()}

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Build a file from its JSON form."""
        return cls(**{**wire, "content": bytes.fromhex(wire["content"])})


@dataclass
class Code:
    """A PIN or ADM: its 8 bytes, tries left and at most, and whether it is asked for at all."""

    value: Secret
    tries: int
    limit: int
    enabled: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the code as JSON-ready values: this file is the card's silicon."""
        return {**vars(self), "value": self.value.reveal().hex()}

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Build a code from its JSON form."""
        return cls(**{**wire, "value": Secret.fromhex(wire["value"])})


@dataclass
class CardImage:
    """A whole card.

    `files` maps a path below the MF, such as "7fff/6f07", to its EF; `links` maps a path to the path that holds its
    body. `codes` are by key reference, `puk1` unblocks PIN1. `seqs` maps IND to the highest SEQ accepted (TS 33.102
    §C.1.2). `aid` is the USIM's, `isim_aid` the ISIM's, whose files lie below "isim", empty on a card without one.
    `key_layout` names how K and OPc lie in files of the card (`cardwriter.virtual.key_files`); until those are written,
    and on a card without such files, `keys` are the factory's. A card with a `channel` takes no UPDATE outside of it.
    """

    atr: bytes
    aid: bytes
    keys: AuthAlgorithm
    codes: dict[int, Code]
    puk1: Code
    files: dict[str, FileImage]
    links: dict[str, str] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    isim_aid: bytes = b""
    key_layout: str = ""
    channel: ChannelKeys | None = None

    def file(self, path: str) -> FileImage | None:
        """Return the EF at a path, following a link."""
        return self.files.get(self.links.get(path, path))

    def is_directory(self, path: str) -> bool:
        """Whether any file lies below the path; the MF is the empty path."""
        below = path + "/"
        return not path or any(name.startswith(below) for name in chain(self.files, self.links))

    def save(self, path: Path) -> None:
        """Write the card to a file for its owner only, whole or not at all."""
        document = {
            "atr": self.atr.hex(),
            "aid": self.aid.hex(),
            "algorithm": config_of(self.keys),
            "k": self.keys.k.reveal().hex(),
            "opc": self.keys.opc.reveal().hex(),
            "codes": {str(key): code.to_json() for key, code in self.codes.items()},
            "puk1": self.puk1.to_json(),
            "files": {name: one.to_json() for name, one in self.files.items()},
            "links": self.links,
            "seqs": {str(ind): seq for ind, seq in self.seqs.items()},
            "faults": [fault.to_json() for fault in self.faults],
            "isim_aid": self.isim_aid.hex(),
            "key_layout": self.key_layout,
            "channel": None if self.channel is None else self.channel.to_json(),
        }
        draft = path.with_name(path.name + ".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w") as file:
            file.write(json.dumps(document))
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a card from its file.

        Raises
        ------
        OSError, ValueError, KeyError, TypeError
            The file cannot be read, or is not a card.
        """
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            atr=bytes.fromhex(document["atr"]),
            aid=bytes.fromhex(document["aid"]),
            keys=algorithm(document["algorithm"], Secret.fromhex(document["k"]), Secret.fromhex(document["opc"])),
            codes={int(key): Code.from_json(code) for key, code in document["codes"].items()},
            puk1=Code.from_json(document["puk1"]),
            files={name: FileImage.from_json(one) for name, one in document["files"].items()},
            links=document["links"],
            seqs={int(ind): seq for ind, seq in document["seqs"].items()},
            faults=[Fault.from_json(fault) for fault in document["faults"]],
            isim_aid=bytes.fromhex(document["isim_aid"]),
            key_layout=document["key_layout"],
            channel=None if document["channel"] is None else ChannelKeys.from_json(document["channel"]),
        )
