"""Card dispensers as a kiosk uses them: a reader that brings its own cards."""

from __future__ import annotations

from drivers import errors
from drivers.base import DispenserState, Place
from drivers.crt_device import CrtDevice, Patience
from drivers.polled import INTERVAL, PolledSource
from drivers.serial_line import check_url


class CrtDispenser(PolledSource):
    """A `Dispenser` and `ReaderSource` around one device."""

    def __init__(self, name: str, device: CrtDevice, *, interval: float = INTERVAL) -> None:
        super().__init__(name, device, interval=interval)
        self._crt = device

    def state(self) -> DispenserState:
        """See `Dispenser.state`.

        Raises
        ------
        DriverError
            As named there.
        """
        with self.line:
            return self._crt.state()

    def feed(self) -> None:
        """See `Dispenser.feed`.

        Raises
        ------
        DriverError
            As named there.
        """
        self._move(Place.CONTACTS)

    def hand_out(self) -> None:
        """See `Dispenser.hand_out`.

        Raises
        ------
        DriverError
            As named there.
        """
        self._move(Place.GATE)

    def reject(self) -> None:
        """See `Dispenser.reject`.

        Raises
        ------
        DriverError
            As named there.
        """
        self._move(None)

    def rejected(self) -> int:
        """See `Dispenser.rejected`.

        Raises
        ------
        DriverError
            As named there.
        """
        with self.line:
            return self._crt.rejected()

    def _move(self, place: Place | None) -> None:
        with self.line:
            inside = self._crt.state().card is not Place.NOWHERE
            if place is Place.CONTACTS and inside:
                raise errors.CardInsideError(reader=self.name)
            if place is not Place.CONTACTS and not inside:
                raise errors.NoCardError(reader=self.name)
            self.card_left()
            try:
                self._crt.move(place)
            finally:
                self.interrupt()


def open_dispenser(url: str, *, patience: Patience | None = None) -> CrtDispenser:
    """Open the dispenser at a pyserial URL, such as `/dev/ttyS0`.

    Raises
    ------
    UnknownSchemeError
        pyserial knows no such kind of URL.
    """
    return CrtDispenser(f"crt:{check_url('crt', url)}", CrtDevice(url, patience=patience))
