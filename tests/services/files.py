"""Files as vendors and the network department deliver them."""

from __future__ import annotations

from collections.abc import Sequence

ADM1 = "0123456789ABCDEF"
TRANSPORT_KEY = "11"


def iccid(serial: int) -> str:
    """Give an ICCID of the test range."""
    return f"89860012{serial:012d}"


def imsi(serial: int) -> str:
    """Give an IMSI of a lab range."""
    return f"46000{serial:010d}"


def vendor_file(serials: Sequence[int], *, quantity: int | None = None, columns: str = "", key: str = "11") -> bytes:
    """Give an output file with one preset-key blank for each serial."""
    head = [
        "*HEADER DESCRIPTION",
        "Customer: Lijiang",
        f"Quantity: {len(serials) if quantity is None else quantity}",
        "Type: 4G blank",
        "Profile: P1",
        "Batch: B20261101",
        f"Transport_key: {key}",
        "*INPUT VARIABLES",
        "var_In:",
        "*OUTPUT VARIABLES",
        f"var_Out: {columns or 'ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC'}",
    ]
    lines = [
        f"{iccid(serial)} {serial:020X} 1234 {serial:08d} {ADM1} {serial:032X} {serial + 1:032X}" for serial in serials
    ]
    return "\n".join([*head, *lines, ""]).encode()


def imsi_pool(serials: Sequence[int], hlr: str = "LJ1") -> bytes:
    """Give a pool file with one IMSI of the HLR for each serial."""
    return "\n".join(["imsi,hlr", *(f"{imsi(serial)},{hlr}" for serial in serials), ""]).encode()
