"""Readers of delivered files, without I/O: lines in, rows and faults out, one by one.

No reader stops at the first fault: all of them come out as data, so that a person sees the whole list at once.
"""

from __future__ import annotations

from inventory.domain.loading.ascent import Ascent
from inventory.domain.loading.faults import BadRow, BadValueError, FaultCode, RowFault
from inventory.domain.loading.imsi_pool import ImsiRow, read_imsi_pool
from inventory.domain.loading.list_form import ListForm, ListSort, parse_columns
from inventory.domain.loading.lists import ListFile, ListRow, joined
from inventory.domain.loading.packing import unpacked
from inventory.domain.loading.prepaid import Prepaid, covers
from inventory.domain.loading.rejects import Reject, reject_rows, reject_text
from inventory.domain.loading.text import encoding_of, lines_of
from inventory.domain.loading.vendor_file import CardRow, CardSecrets, VendorFile, VendorHeader

__all__ = [
    "Ascent",
    "BadRow",
    "BadValueError",
    "CardRow",
    "CardSecrets",
    "FaultCode",
    "ImsiRow",
    "ListFile",
    "ListForm",
    "ListRow",
    "ListSort",
    "Prepaid",
    "Reject",
    "RowFault",
    "VendorFile",
    "VendorHeader",
    "covers",
    "encoding_of",
    "joined",
    "lines_of",
    "parse_columns",
    "read_imsi_pool",
    "reject_rows",
    "reject_text",
    "unpacked",
]
