"""Every command of a full write of every family × everything that can go wrong at it.

`python -m cardwriter.workshop.tear` prints one JSON object for each family and cut: how the jobs ended, and what must
never be: a wrong verdict, an IMSI on two cards, a spent try of a code, a key in any output.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from cardwriter.profiles import PROFILES, CardProfile, Kind, Verdict, read_facts
from cardwriter.script import Outcome, Report, Script, StepResult
from cardwriter.usim import files
from cardwriter.usim.bcd import is_blank
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop.samples import Sample, data_for, sample
from cardwriter.workshop.torn import Cut, Hands, Slot, TornHands, TornJob, survey
from drivers.apdu import transceive
from inventory.domain.lifecycle import DataState

_IMSIS = (files.IMSI, files.GSM_IMSI)
_SAYS_SO_ITSELF = frozenset({Cut.MEMORY_FAILURE, Cut.WRONG_LENGTH})
"""Cuts in which the card answers that it cannot: calling it damaged then is right."""
_ORDER: Final = {cut: number for number, cut in enumerate(Cut, start=1)}
_SELECT, _LC, _DATA = 0xA4, 4, 5  # its instruction and the places of length and data, TS 102 221 §10.1, §11.1.1
Place: TypeAlias = tuple[bytes, bytes]


@dataclass
class Pool:
    """The IMSIs of all cards: those that came back go out first, as to the next customer. Cards have numbers from 1."""

    free: list[str] = field(default_factory=list)
    given: int = 0
    cards: int = 0
    on_cards: set[bytes] = field(default_factory=set)

    def take(self) -> str:
        """Return an IMSI that no card has."""
        if self.free:
            return self.free.pop()
        self.given += 1
        return f"46000{self.given:010d}"


@dataclass(frozen=True)
class Blank:
    """A card as it lies ready for its job, with the IMSI meant for it; `number` is the one in `sample`."""

    family: CardProfile
    number: int
    card: Sample
    imsi: str
    iccid: bytes
    tries: Mapping[int, int]

    @classmethod
    def take(cls, family: CardProfile, pool: Pool) -> Self:
        """Take the next card."""
        pool.cards += 1
        card = sample(family, pool.cards)
        tries = {key: code.tries for key, code in card.image.codes.items()}
        return cls(family, pool.cards, card, pool.take(), _iccid(card.image), tries)

    def job(self, hands: Hands, name: str) -> TornJob:
        """Return the job that writes it."""
        return TornJob(self.family, self.card, data_for(self.family, self.card, self.imsi), hands, name)


@dataclass(frozen=True)
class End:
    """A job that has ended; `cut` is None when nothing struck."""

    blank: Blank
    job: TornJob
    verdict: Verdict
    cut: str | None


@dataclass
class Row:
    """What became of all jobs of one family under one cut; `wrong` says for each wrong verdict where and why."""

    family: str
    cut: str
    cells: int = 0
    ends: Counter[Kind] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    imsi_twice: int = 0
    tries_spent: int = 0
    keys_shown: int = 0

    def add(self, at: int, end: End, pool: Pool, folder: Path) -> None:
        """Count a job that was cut at this command, and hold its end against the card."""
        self.cells += 1
        self.ends[end.verdict.kind] += 1
        if why := _why_wrong(end):
            self.wrong.append(f"at command {at}: {end.verdict.kind}, but {why}")
        image = end.job.sample.image
        self.imsi_twice += not _alone(image, pool.on_cards)
        self.tries_spent += _spent(image, end.blank.tries)
        self.keys_shown += _shows(end.job, folder)
        if end.job.data_state in {DataState.FREE, DataState.RESERVED}:
            pool.free.append(end.blank.imsi)

    @property
    def right(self) -> int:
        """How many jobs ended as they must."""
        return self.cells - min(self.cells, len(self.wrong) + self.imsi_twice + self.tries_spent + self.keys_shown)

    def to_json(self) -> dict[str, Any]:
        """Return the row as `haoka bench` prints measurements."""
        found = {
            "name": f"tear.{self.family}.{self.cut}",
            "ratio": self.right / self.cells if self.cells else 0.0,
            "target": 1.0,
            "ok": bool(self.cells) and self.right == self.cells,
            "unit": "jobs",
            "ours": self.right,
            "raw": self.cells,
        }
        ends = {kind.value: self.ends[kind] for kind in Kind}
        must_not = {"imsi_twice": self.imsi_twice, "tries_spent": self.tries_spent, "keys_shown": self.keys_shown}
        return found | ends | must_not | {"wrong": self.wrong}


def matrix(
    folder: Path,
    families: Iterable[CardProfile] = PROFILES,
    cuts: Iterable[Cut] = tuple(Cut),
    *,
    stride: int = 1,
    like: CardProfile | None = None,
) -> Iterator[Row]:
    """Give a row for each family and cut; the last job of each row is not disturbed.

    Parameters
    ----------
    folder
        For the station's journals.
    stride
        Cut every n-th command; each cut begins with another one, so that ten cuts together strike all of ten strides.
    like
        A family that has been cut everywhere: the stride holds for the commands that a write of its cards has too, all
        others are cut in every way.
    """
    pool = Pool()
    known = None if like is None else frozenset(_places(_commands(folder, like, pool)))
    for family in families:
        places = list(_places(_commands(folder, family, pool)))
        own = {at for at, place in enumerate(places, start=1) if known is not None and place not in known}
        for cut in cuts:
            strided = range((_ORDER[cut] - 1) % stride + 1, len(places) + 1, stride)
            yield _row(family, cut, folder, pool, [*sorted(own | set(strided)), len(places) + 1])


def _places(sent: Iterable[bytes]) -> Iterator[Place]:
    """Tell commands by the file last selected and by their header: another family's job may have the same."""
    file = b""
    for apdu in sent:
        file = apdu[_DATA:] if apdu[1] == _SELECT else file
        yield file, apdu[:_LC]


def _commands(folder: Path, family: CardProfile, pool: Pool) -> list[bytes]:
    """Return every command of a job that nothing disturbs."""
    blank = Blank.take(family, pool)
    slot = Slot(VirtualUicc(blank.card.image))
    with tempfile.TemporaryDirectory(dir=folder) as own, TornHands(slot, Path(own)) as hands:
        blank.job(hands, family.name).run()
    return slot.sent


def _row(family: CardProfile, cut: Cut, folder: Path, pool: Pool, positions: Iterable[int]) -> Row:
    row = Row(family.name, cut)
    folder = folder / f"{family.name}-{cut}"  # a journal of its own: what a job has kept is searched after each
    folder.mkdir()
    for at in positions:
        blank = Blank.take(family, pool)
        slot = Slot(VirtualUicc(blank.card.image), cut, at)
        with TornHands(slot, folder) as hands:
            job = blank.job(hands, f"{family.name}-{cut}-{at}")
            verdict = job.run()
        row.add(at, End(blank, job, verdict, cut if slot.struck else None), pool, folder)
    return row


def _spent(image: CardImage, tries: Mapping[int, int]) -> bool:
    """Whether a code has other tries left than before, or a secure channel was knocked at with a wrong key."""
    knocked = image.channel is not None and image.channel.failures > 0
    return knocked or any(code.tries != tries[key] for key, code in image.codes.items())


def _imsis(image: CardImage) -> set[bytes]:
    """Return what lies in the files of the IMSI, unless blank."""
    found = (image.file(ef.path.hex("/", 2)) for ef in _IMSIS)
    return {body.content for body in found if body is not None and not is_blank(body.content)}


def _alone(image: CardImage, on_cards: set[bytes]) -> bool:
    """Note the IMSIs on a card that is put away; tell whether no other card has them."""
    mine = _imsis(image)
    alone = not mine & on_cards
    on_cards |= mine
    return alone


def _why_wrong(end: End) -> str | None:
    """Return what the card itself says against the verdict, None if nothing."""
    if end.cut is None and end.verdict.kind is not Kind.VERIFIED:
        return "nothing disturbed it"
    match end.verdict.kind:
        case Kind.VERIFIED:
            return None if _whole(end) else "the files are not those of a good card"
        case Kind.NOTHING_WRITTEN:
            return None if _untouched(end) else "it holds an identity"
        case Kind.DAMAGED if end.cut not in _SAYS_SO_ITSELF:
            return "nothing is wrong with it" if _whole(end) or _untouched(end) else None
        case Kind.DAMAGED:
            return None
        case _:
            return "reading it did not settle it"


def _whole(end: End) -> bool:
    """Whether a card holds what one does whose write nothing disturbed."""
    return _contents(end.job.sample.image) == _contents(_written(end))


def _untouched(end: End) -> bool:
    """Whether a card holds no identity.

    A number of its own, with no IMSI beside it, does not spoil a card: the next write begins with that number.
    """
    image = end.job.sample.image
    return not _imsis(image) and (_iccid(image) == end.blank.iccid or _iccid(image) == _iccid(_written(end)))


def _iccid(image: CardImage) -> bytes:
    body = image.file(files.ICCID.path.hex("/", 2))
    return b"" if body is None else body.content


def _contents(image: CardImage) -> dict[str, bytes]:
    return {path: body.content for path, body in image.files.items()}


def _written(end: End) -> CardImage:
    """Return the same card as it is after a write that nothing disturbed."""
    job, image = end.job, sample(end.blank.family, end.blank.number).image
    card = VirtualUicc(image)
    facts = read_facts(_bare(card, survey(job.family, job.data, "identify")))
    _bare(card, job.family.write_script(facts, job.data, "write", 0))
    return image


def _bare(card: VirtualUicc, script: Script) -> Report:
    """Send a script's commands without a station."""
    atr, results = card.reset(), []
    for step in script.steps:
        data, sw = transceive(step.apdu, card.transmit, t0=True)
        results.append(StepResult(name=step.name, sw=sw, data=data))
    return Report(script_id=script.id, outcome=Outcome.COMPLETED, results=tuple(results), atr=atr)


def _shows(job: TornJob, folder: Path) -> bool:
    """Whether a key or code of the card stands in anything that was said or kept on the station's disk."""
    said = "\n".join(job.said).encode()
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    return any(secret in said or secret in kept for secret in job.sample.secrets)


def main() -> None:
    """Run the whole matrix and print one JSON object a line."""
    parser = argparse.ArgumentParser(description="Cut a card's write at every command, in every way.")
    parser.add_argument("--stride", type=int, default=1, help="cut every n-th command only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="haoka-tear-") as folder:
        for row in matrix(Path(folder), stride=options.stride):
            sys.stdout.write(f"{json.dumps(row.to_json())}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
