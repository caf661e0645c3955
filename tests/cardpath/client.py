"""A PC/SC client as a process, since the service's socket is chosen before the first call: scripts in, reports out."""

from __future__ import annotations

import json
import sys

from cardwriter.script import Otherwise, Outcome, Report, Script, StepResult
from drivers.base import CardConnection
from drivers.errors import DriverError
from drivers.pcsc import PcscSource


def main() -> None:
    """Run each script that comes on a line of standard input on the card in the reader named by the argument."""
    source = PcscSource(deadline=5.0)
    for line in sys.stdin:
        script = Script.from_wire(json.loads(line))
        try:
            card = source.connect(sys.argv[1])
        except DriverError as error:
            report = Report(script_id=script.id, outcome=Outcome.LOST, results=(), error=error.code, changed=False)
        else:
            report = _run(card, script)
            card.close()
        sys.stdout.write(json.dumps(report.to_wire()) + "\n")
        sys.stdout.flush()


def _run(card: CardConnection, script: Script) -> Report:
    results: list[StepResult] = []
    outcome, error, changed = Outcome.COMPLETED, None, False
    try:
        card.reset()
        for step in script.steps:
            changed = changed or step.changes_card
            data, sw = card.transmit(step.apdu)
            results.append(StepResult(name=step.name, sw=sw, data=data if step.returns else b""))
            if not step.expects(sw) and step.otherwise is Otherwise.STOP:
                outcome = Outcome.STOPPED
                break
    except DriverError as failure:
        outcome, error = Outcome.LOST, failure.code
    return Report(
        script_id=script.id, outcome=outcome, results=tuple(results), atr=card.atr, error=error, changed=changed
    )


if __name__ == "__main__":
    main()
