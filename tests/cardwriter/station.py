"""The least station: runs a script on a virtual UICC as the real one does on a reader."""

from __future__ import annotations

from collections.abc import Callable

from cardwriter.script import Otherwise, Outcome, Report, Script, StepResult
from cardwriter.virtual.uicc import Muted, Torn, VirtualUicc


def exchange(card: VirtualUicc, apdu: bytes) -> tuple[bytes, int]:
    """Follow 61xx and 6Cxx as a driver does; a command without data and Le goes out with P3 = 00, as on T=0."""
    answer = card.transmit(apdu if len(apdu) > 4 else apdu + b"\x00")
    if answer[-2] == 0x6C:
        answer = card.transmit(apdu[:4] + answer[-1:])
    if answer[-2] == 0x61:
        answer = card.transmit(bytes([apdu[0], 0xC0, 0x00, 0x00, answer[-1]]))
    return answer[:-2], int.from_bytes(answer[-2:], "big")


def run(card: VirtualUicc, script: Script, on_step: Callable[[str], None] = lambda _: None) -> Report:
    """Run a script from a fresh reset and report raw results."""
    atr, results, changed = card.reset(), list[StepResult](), False

    def report(outcome: Outcome, error: str | None = None) -> Report:
        return Report(
            script_id=script.id, outcome=outcome, results=tuple(results), atr=atr, error=error, changed=changed
        )

    for step in script.steps:
        on_step(step.name)
        changed = changed or step.changes_card
        try:
            data, sw = exchange(card, step.apdu)
        except (Torn, Muted) as loss:
            return report(Outcome.LOST, "card_removed" if isinstance(loss, Torn) else "card_mute")
        results.append(StepResult(name=step.name, sw=sw, data=data if step.returns else b""))
        if not step.expects(sw) and step.otherwise is Otherwise.STOP:
            return report(Outcome.STOPPED)
    return report(Outcome.COMPLETED)
