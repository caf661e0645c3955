"""The stock commands as clients of the service, end to end through its application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inventory.cli import main
from inventory.cli.client import connect
from inventory.services.organisation import CityWish
from tests.builders import Operator, found_operator
from tests.cli.answers import answered
from tests.services.files import iccid, vendor_file

pytestmark = pytest.mark.database


def loaded(capsys: pytest.CaptureFixture[str], folder: Path, count: int) -> dict[str, Any]:
    """Load so many cards from a vendor's file and give the answer."""
    file = folder / "out.txt"
    file.write_bytes(vendor_file(range(count)))
    return answered(capsys, "load", str(file), "--card-kind", "4G-P", "--pool", "hall")


@pytest.mark.usefixtures("shell")
def test_cards_are_loaded_issued_recalled_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought = loaded(capsys, tmp_path, 20)
    issued = answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5", "--of", "4G-P", "--person", "和丽")
    recalled = answered(capsys, "recall", "sim", "LI-D1", "530700", "--from", iccid(1), "--to", iccid(2))
    assert main(["transfer", "sim", "LI-D1", "LI-P1", "--count", "1"]) != 0
    assert "not_siblings" in capsys.readouterr().err
    shown = answered(capsys, "show", iccid(1))
    counts = answered(capsys, "stock", "--resource", "sim")

    assert (brought["rows"], issued["count"], recalled["count"]) == (20, 5, 2)
    life = shown["life"]
    assert [entry["what"] for entry in life] == ["movement.intake", "movement.issue", "movement.recall"]
    rows = counts["counts"]
    assert [(row["place"], row["own"]) for row in rows] == [("530700", 17), ("LI-D1", 3)]


@pytest.mark.usefixtures("shell")
def test_cards_are_listed_by_conditions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(capsys, tmp_path, 20)

    listed = answered(capsys, "items", "sim", "--from", iccid(3), "--to", iccid(4), "--state", "AVAILABLE")["items"]

    assert [line["item"] for line in listed] == [iccid(3), iccid(4)]
    assert main(["items", "sim", f"*{iccid(7)[-3:]}"]) == 0
    assert iccid(7) in capsys.readouterr().out
    assert main(["items", "car"]) == 2


@pytest.mark.usefixtures("shell")
def test_lists_are_written_to_files_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "cards.csv"
    load = str(loaded(capsys, tmp_path, 20)["id"])
    moved = str(answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5")["id"])

    assert main(["items", "sim", "--csv", str(target)]) == 0
    assert len(target.read_text(encoding="utf-8-sig").splitlines()) == 21
    lists = [
        ["stock"],
        ["flow", "sim"],
        ["deliveries"],
        ["documents"],
        ["show", moved],
        ["show", load],
        ["loads", "list"],
        ["quotas"],
        ["fee", "changes"],
    ]
    for number, command in enumerate(lists):
        assert main([*command, "--csv", str(tmp_path / f"{number}.xlsx")]) == 0
        assert (tmp_path / f"{number}.xlsx").read_bytes().startswith(b"PK")
    assert main(["flow", "sim", "LI-D1", "--days", "7"]) == 0
    assert main(["documents", "--kind", "ISSUE"]) == 0
    assert moved in capsys.readouterr().out
    assert main(["show", iccid(1), "--csv", str(target)]) == 2
    assert main(["items", "sim", "--place", "nowhere", "--csv", str(tmp_path / "none.csv")]) != 0
    assert main(["stock", "--csv", str(tmp_path / "no" / "where.csv")]) == 1
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["cards.csv"]


@pytest.mark.usefixtures("shell")
def test_thresholds_are_set_listed_and_cleared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(capsys, tmp_path, 5)

    assert answered(capsys, "alerts", "set", "530700", "sim", "5", "--sort", "4G-P")["before"] is None
    alerts = answered(capsys, "alerts", "--low")["alerts"]
    assert main(["alerts", "--csv", str(tmp_path / "alerts.csv")]) == 0
    assert answered(capsys, "alerts", "clear", "530700", "sim", "--sort", "4G-P")["before"] == 5

    assert [(alert["place"], alert["free"], alert["low"]) for alert in alerts] == [("530700", 5, True)]
    assert (tmp_path / "alerts.csv").read_text(encoding="utf-8-sig").count("\n") == 2


@pytest.mark.usefixtures("shell")
def test_quotas_are_set_listed_and_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, "quotas", "set", "LI-D1", "sim", "5", "--per", "day")["before"] is None
    listed = answered(capsys, "quotas")["quotas"]
    assert answered(capsys, "quotas", "clear", "LI-D1", "sim", "--per", "day")["before"] == 5

    assert [(quota["place"], quota["period"], quota["left"]) for quota in listed] == [("LI-D1", "DAY", 5)]


@pytest.mark.usefixtures("shell")
def test_port_is_rented_listed_extended_and_taken_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-NUM-15: tenant, term, extensions."""
    segment = {"prefixes": ["106901"], "kind": "sms_port", "carrier": "mobile", "hlr": "LJ1", "listed": True}
    connect().write("/v1/segments", segment)
    (tmp_path / "ports.txt").write_text("10690123\n", encoding="utf-8")
    answered(capsys, "load", str(tmp_path / "ports.txt"), "--kind", "number_list")
    whose = ("--tenant", "丽江农商行", "--reference", "KH-7", "--digits", "4")

    answered(capsys, "ports", "rent", "10690123", *whose, "--from", "2026-11-03", "--until", "2026-11-20")
    [ending] = answered(capsys, "ports", "--ending")["ports"]
    assert main(["ports", "--csv", str(tmp_path / "ports.csv")]) == 0
    longer = answered(capsys, "ports", "extend", "10690123", "--until", "2027-11-20")
    ended = answered(capsys, "ports", "end", "10690123", "--reason", "退租")

    assert (ending["tenant_ref"], ending["standing"], longer["ends_before"]) == ("KH-7", "ending", "2026-11-20")
    assert (ended["state"], ended["cooled_on"]) == ("COOLING", "2027-01-31")
    assert (tmp_path / "ports.csv").read_text(encoding="utf-8-sig").count("\n") == 2


@pytest.mark.usefixtures("shell")
def test_delivery_is_listed_signed_for_in_part_and_sent_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(capsys, tmp_path, 20)
    answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5")

    sent = answered(capsys, "recall", "sim", "LI-D1", "530700", "--from", iccid(1), "--to", iccid(3), "--on-the-way")
    listed = answered(capsys, "deliveries")["deliveries"]
    document = str(sent["id"])
    taken = answered(capsys, "deliveries", "accept", document, "--item", iccid(2), "--person", "和丽")
    back = answered(capsys, "deliveries", "refuse", document, "--reason", "弯折")

    assert [(entry["id"], entry["state"], entry["mine"]) for entry in listed] == [(document, "IN_TRANSIT", True)]
    assert (taken["kind"], taken["count"], taken["parent_state"]) == ("RECEIPT", 1, "PARTLY_ANSWERED")
    assert (back["kind"], back["count"], back["parent_state"]) == ("RETURN", 2, "SETTLED")
    assert main(["deliveries", "accept", document]) != 0
    assert "delivery_answered" in capsys.readouterr().err
    assert main(["deliveries"]) == 0
    assert str(back["id"]) in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_cards_are_ordered_back_listed_as_owed_and_the_order_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(capsys, tmp_path, 20)
    answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5")

    order = answered(capsys, "orders", "give", "sim", "530700", "LI-D1", "--reason", "换季", "--of", "4G-P")
    assert main(["orders"]) == 0
    assert str(order["id"]) in capsys.readouterr().out
    assert main(["orders", "show", str(order["id"])]) == 0
    assert iccid(0) in capsys.readouterr().out
    owed = answered(capsys, "orders", "show", str(order["id"]))["items"]
    ended = answered(capsys, "orders", "end", str(order["id"]), "--reason", "不再需要")

    assert [row["item"] for row in owed] == [iccid(serial) for serial in range(5)]
    assert (order["state"], order["owed"], ended["state"], ended["owed"]) == ("OPEN", 5, "ENDED", 0)


@pytest.mark.usefixtures("shell")
def test_drawer_is_counted_from_a_file_of_scans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scans = tmp_path / "scans.txt"
    loaded(capsys, tmp_path, 3)

    scans.write_text("\n".join(iccid(serial) for serial in (0, 1, 7)), encoding="utf-8-sig")
    assert main(["count", "sim", "530700", str(scans), "--by", "和丽"]) == 1
    said = capsys.readouterr().out
    scans.write_text("\n".join(iccid(serial) for serial in range(3)), encoding="utf-8")
    agreed = answered(capsys, "count", "sim", "530700", str(scans))

    assert iccid(2) in said
    assert iccid(7) in said
    assert "not_in_stock" in said
    assert (agreed["agrees"], agreed["book"]) == (True, 3)


@pytest.mark.usefixtures("shell")
def test_place_is_counted_in_steps_and_the_count_is_cancelled_or_posted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = tmp_path / "scans.txt"
    loaded(capsys, tmp_path, 3)

    first = str(answered(capsys, "stocktake", "open", "sim", "530700", "--with-below", "--of", "4G-P")["id"])
    scans.write_text(f"{iccid(0)}\n{iccid(1)}\n")
    tally = answered(capsys, "stocktake", "scan", first, str(scans))
    assert main(["stocktake", "close", first, "--by", "和丽"]) == 1
    assert main(["stocktake", "show", first]) == 0
    assert iccid(2) in capsys.readouterr().out
    assert answered(capsys, "stocktake", "post", first, "--ask")["act"] == "post_stocktake"
    assert main(["stocktake", "post", first]) != 0
    assert "approval_needed" in capsys.readouterr().err
    cancelled = answered(capsys, "stocktake", "cancel", first, "--reason", "漏扫")
    second = str(answered(capsys, "stocktake", "open", "sim", "530700")["id"])
    scans.write_text("\n".join(iccid(serial) for serial in range(3)))
    answered(capsys, "stocktake", "scan", second, str(scans), "--damaged")
    answered(capsys, "stocktake", "close", second, "--by", "和丽")
    posted = answered(capsys, "stocktake", "post", second)
    assert main(["stocktake"]) == 0

    assert first in capsys.readouterr().out
    assert (tally["new"], tally["scanned"], cancelled["state"]) == (2, 2, "CANCELLED")
    assert (posted["state"], posted["spoiled"], posted["lost"]) == ("POSTED", 3, 0)


@pytest.mark.usefixtures("shell")
def test_drawer_of_a_leaver_is_counted_and_waits_for_a_witness(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = tmp_path / "scans.txt"
    loaded(capsys, tmp_path, 3)
    for giver, receiver in (("530700", "LI-D1"), ("LI-D1", "LI-P1"), ("LI-P1", "LI-C1")):
        answered(capsys, "issue", "sim", giver, receiver, "--count", "3")

    left = answered(capsys, "stocktake", "leave", "LI-C1", "--reason", "离职")
    scans.write_text("\n".join(iccid(serial) for serial in range(3)))
    answered(capsys, "stocktake", "scan", str(left["stocktake"]), str(scans))
    answered(capsys, "stocktake", "close", str(left["stocktake"]), "--by", "和丽")

    assert left["staff_closed"]
    asked = answered(capsys, "stocktake", "take-over", str(left["stocktake"]), "LI-P1", "--ask")
    assert (asked["act"], asked["state"]) == ("take_over", "ASKED")
    assert main(["stocktake", "take-over", str(left["stocktake"]), "LI-P1", "--person", "木某"]) != 0
    assert "approval_needed" in capsys.readouterr().err


@pytest.mark.usefixtures("shell")
def test_cards_are_sent_to_another_city_only_with_a_second_person(
    operator_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-STK-04: transfer between cities is approved."""
    found_operator(operator_url, CityWish(city_id=530800, name_zh="普洱", name_en="Puer"))
    loaded(capsys, tmp_path, 3)
    sending = ("end", "send-to-city", "sim", "530700", "--to-city", "530800", "--item", iccid(1), "--reason", "支援")

    asked = answered(capsys, *sending, "--ask")
    assert main(list(sending)) != 0
    assert "approval_needed" in capsys.readouterr().err
    assert main([*sending[:4], *sending[6:]]) != 0
    assert "to_city" in capsys.readouterr().err

    summary = asked["summary"]
    assert (asked["act"], summary["to_city"], summary["count"]) == ("send_to_city", "普洱 (530800)", 1)


@pytest.mark.usefixtures("shell")
def test_announced_cards_are_scanned_in_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, scans = tmp_path / "out.txt", tmp_path / "scans.txt"
    file.write_bytes(vendor_file(range(5)))
    announced = answered(capsys, "load", str(file), "--card-kind", "4G-P", "--announced")
    scans.write_text(f"{iccid(0)}\n{iccid(1)}\n", "utf-8-sig")
    listed = answered(capsys, "deliveries")
    done = answered(capsys, "deliveries", "scan", str(announced["movement"]), str(scans))
    missing = answered(capsys, "items", "sim", "--batch", str(announced["id"]), "--on-the-way")
    scans.write_text(f"{iccid(1)}\n{iccid(9)}\n")

    assert [one["giver"] for one in listed["deliveries"]] == [None]
    assert (done["accepted"], done["left"]) == (2, 3)
    assert [item["item"] for item in missing["items"]] == [iccid(2), iccid(3), iccid(4)]
    assert main(["deliveries", "scan", str(announced["movement"]), str(scans)]) == 1
    shown = capsys.readouterr().out
    assert "unannounced" in shown
    assert iccid(9) in shown


@pytest.mark.usefixtures("shell")
def test_boxes_are_packed_from_their_list_issued_as_one_and_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = tmp_path / "boxes.csv"
    load = loaded(capsys, tmp_path, 20)["id"]
    boxes.write_text(f"box,seal,first,last\nB1,S1,{iccid(0)},{iccid(4)}\nB2,,{iccid(5)},{iccid(9)}\n", "utf-8-sig")

    assert main(["box", "pack-list", "sim", "530700", str(boxes)]) == 0
    assert capsys.readouterr().out == "B1\t5\nB2\t5\n"
    single = answered(capsys, "box", "pack", "sim", "530700", "B3", "--item", iccid(12), "--seal", "S3")
    carton = answered(capsys, "box", "pack", "sim", "530700", "C1", "--box", "B2", "--box", "B3")
    issued = answered(capsys, "issue", "sim", "530700", "LI-D1", "--box", "B1", "--box", "C1")
    back = answered(capsys, "recall", "sim", "LI-D1", "530700", "--box", "B1", "--on-the-way")
    taken = answered(capsys, "deliveries", "accept", str(back["id"]), "--box", "B1")
    rest = answered(capsys, "issue", "sim", "530700", "LI-D1", "--batch", str(load))
    opened = answered(capsys, "box", "open", "C1", "--reason", "抽检")
    assert main(["box"]) == 0
    assert main(["box", "show", "C1"]) == 0
    shown = capsys.readouterr().out
    boxes.write_text("box,first\n")

    assert (single["count"], carton["count"], issued["count"], opened["state"]) == (1, 6, 11, "OPENED")
    assert (taken["count"], taken["parent_state"], rest["count"]) == (5, "ACCEPTED", 14)
    assert "LI-D1" in shown
    assert iccid(12) in shown
    assert main(["box", "pack-list", "sim", "530700", str(boxes)]) == 2


@pytest.mark.usefixtures("shell")
def test_answers_read_as_tables_without_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(capsys, tmp_path, 3)

    assert main(["stock"]) == 0
    assert "AVAILABLE" in capsys.readouterr().out
    assert main(["show", iccid(1)]) == 0
    assert "movement.intake" in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_refused_file_ends_with_its_reason_and_its_faults_can_be_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.txt"
    file.write_bytes(vendor_file(range(3)).replace(iccid(1).encode(), b"77"))

    assert main(["load", str(file), "--card-kind", "4G-P"]) == 2

    assert "load_rejected" in capsys.readouterr().err
    assert answered(capsys, "show", "b-530700-1")["faults"] == [
        {"no": 1, "row": 13, "column": "iccid", "value": "… (2 characters)", "code": "malformed"}
    ]


@pytest.mark.usefixtures("shell")
def test_status_of_a_card_is_set_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(capsys, tmp_path, 3)

    answer = answered(capsys, "status", "sim", iccid(0), "DAMAGED", "--reason", "触点脱落")

    assert (answer["from_state"], answer["to_state"]) == ("AVAILABLE", "DAMAGED")


def test_items_named_in_two_ways_are_a_wrong_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["issue", "sim", "a", "b", "--count", "1", "--item", iccid(1)]) == 2
    assert "one way" in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("shell")
def test_list_is_tried_then_its_good_rows_are_loaded_and_the_bad_ones_written_to_be_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, rejects = tmp_path / "cards.csv", tmp_path / "rejects.csv"
    file.write_text(f"{iccid(1)}\nbad\n")
    load = ("load", str(file), "--kind", "card_list", "--card-kind", "4G-P", "--columns", "iccid=1")

    tried = answered(capsys, *load, "--dry-run")
    assert main([*load, "--dry-run"]) == 0
    assert "malformed" in capsys.readouterr().out
    assert main([*load, "--rejects", str(rejects)]) == 2
    refused = rejects.read_text()
    rejects.unlink()
    brought = answered(capsys, *load, "--keep-good", "--rejects", str(rejects))

    assert (tried["good"], tried["bad"]) == (1, 1)
    assert (brought["rows"], brought["rejected"]) == (1, 1)
    assert rejects.read_text() == refused == "bad,iccid:malformed\n"


def test_card_is_set_free_with_a_second_persons_word(
    shell: pytest.MonkeyPatch, operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-SIM-11: by command, asked for by one and granted by another."""
    loaded(capsys, tmp_path, 1)
    answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "1")
    answered(capsys, "status", "sim", iccid(0), "DAMAGED", "--reason", "弯折")
    free = ("status", "sim", iccid(0), "AVAILABLE", "--reason", "已校平")

    assert main(list(free)) != 0
    assert "approval_needed" in capsys.readouterr().err
    assert main([*free, "--ask"]) == 0
    approval = capsys.readouterr().out.strip()
    keeper, admin = operator.district_keeper, operator.city_admin
    shell.setenv("HAOKA_STAFF", keeper.staff_no)
    shell.setenv("HAOKA_SECRET", keeper.key)
    assert main(["approvals"]) == 0
    assert approval in capsys.readouterr().out
    assert answered(capsys, "approvals", "grant", approval)["state"] == "GRANTED"
    shell.setenv("HAOKA_STAFF", admin.staff_no)
    shell.setenv("HAOKA_SECRET", admin.key)

    assert answered(capsys, *free, "--approval", approval)["approver"] == keeper.staff_no
    answered(capsys, "status", "sim", iccid(0), "DAMAGED", "--reason", "又弯了")
    first, second = (str(answered(capsys, *free, "--ask")["approval"]) for _ in range(2))
    assert answered(capsys, "approvals", "withdraw", first)["state"] == "WITHDRAWN"
    shell.setenv("HAOKA_STAFF", keeper.staff_no)
    shell.setenv("HAOKA_SECRET", keeper.key)
    assert answered(capsys, "approvals", "refuse", second, "--reason", "未测")["state"] == "REFUSED"


def test_damaged_card_is_scrapped_by_command(
    shell: pytest.MonkeyPatch, operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-SIM-12: damaged cards stay on the holder's account until they are scrapped with a counted hand-in."""
    scans = tmp_path / "scans.txt"
    scans.write_text(f"{iccid(0)}\n", encoding="utf-8-sig")
    loaded(capsys, tmp_path, 2)
    answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "2")
    answered(capsys, "status", "sim", iccid(0), "DAMAGED", "--reason", "弯折")
    assert answered(capsys, "end", "spoiled")["accounts"] == [
        {"place": "LI-D1", "resource": "sim", "sort": "4G-P", "state": "DAMAGED", "count": 1}
    ]
    lost = ("end", "lose", "sim", "LI-D1", "--item", iccid(1), "--reason", "盘亏")

    assert main(["end", "scrap", "sim", "LI-D1", "--item", iccid(0), "--reason", "季末"]) != 0
    assert "missing_field" in capsys.readouterr().err
    scrap = ("end", "scrap", "sim", "LI-D1", "--item", iccid(0), "--reason", "季末", "--handed-in", str(scans))
    assert main([*scrap, "--ask"]) == 0
    capsys.readouterr()
    assert main([*lost, "--ask"]) == 0
    approval = capsys.readouterr().out.strip()
    keeper, admin = operator.district_keeper, operator.city_admin
    shell.setenv("HAOKA_STAFF", keeper.staff_no)
    shell.setenv("HAOKA_SECRET", keeper.key)
    assert answered(capsys, "approvals", "grant", approval)["state"] == "GRANTED"
    shell.setenv("HAOKA_STAFF", admin.staff_no)
    shell.setenv("HAOKA_SECRET", admin.key)
    document = answered(capsys, *lost, "--approval", approval)
    assert (document["kind"], document["states"], document["approver"]) == ("LOSS", {"AVAILABLE": 1}, keeper.staff_no)


@pytest.mark.usefixtures("shell")
def test_delivery_is_disputed_settled_and_taken_back_by_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(capsys, tmp_path, 20)
    answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "5")
    back = ("recall", "sim", "LI-D1", "530700", "--from", iccid(1), "--to", iccid(3), "--on-the-way")
    document = str(answered(capsys, *back)["id"])

    case = answered(capsys, "deliveries", "dispute", document, "--item", iccid(2), "--reason", "少一张")
    assert (case["kind"], case["count"], case["parent"]) == ("DISPUTE", 1, document)
    end = ("deliveries", "settle", str(case["id"]), "lost", "--reason", "已查")
    assert main(list(end)) != 0
    assert "approval_needed" in capsys.readouterr().err
    assert main([*end, "--ask"]) == 0
    assert capsys.readouterr().out.startswith("a-530700-")
    sent = str(answered(capsys, "issue", "sim", "530700", "LI-D1", "--count", "2", "--on-the-way")["id"])
    taken = answered(capsys, "deliveries", "withdraw", sent, "--reason", "发错")
    assert (taken["kind"], taken["count"], taken["parent_state"]) == ("WITHDRAWAL", 2, "REFUSED")


@pytest.mark.usefixtures("shell")
def test_city_policy_is_set_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, "policies") == {
        "signing": "optional", "level_skipping": "refused", "completion": "at_once",
        "port_notice_days": 30, "port_cooling_days": 90,
    }  # fmt: skip
    changed = answered(capsys, "policies", "set", "level_skipping", "allowed", "--reason", "春节备货")
    assert changed == {"policy": "level_skipping", "before": "refused", "after": "allowed"}
    assert main(["policies", "set", "signing", "perhaps", "--reason", "x"]) != 0
    assert "invalid_field" in capsys.readouterr().err


@pytest.mark.usefixtures("shell")
def test_hold_time_is_set_listed_and_taken_back_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    set_time = ("policies", "hold-time", "--channel", "agent", "--reason", "春节")
    assert answered(capsys, *set_time, "20")["after"] == 20
    rules = answered(capsys, "policies", "hold-times")["hold_times"]
    assert [(rule["minutes"], rule["own"]) for rule in rules if rule["channel"] == "agent"] == [(20, True)]
    assert answered(capsys, *set_time, "default")["after"] is None
    assert main([*set_time, "soon"]) != 0
    assert "MINUTES" in capsys.readouterr().err


@pytest.mark.usefixtures("shell")
def test_legal_hold_is_placed_listed_shown_and_asked_to_be_lifted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-LGL-01: the order with its words, from the command line."""
    loaded(capsys, tmp_path, 5)
    words = ["--reference", "7", "--authority", "法院", "--reason", "协查", "--given-on", "2026-01-05"]

    order = answered(capsys, "legal", "place", "sim", "--from", iccid(1), "--to", iccid(2), *words)

    assert (order["count"], order["review_on"]) == (2, None)
    listed = answered(capsys, "legal")["legal_holds"]
    assert [(row["id"], row["authority"]) for row in listed] == [(order["id"], "法院")]
    assert main(["legal", "show", order["id"]]) == 0
    assert iccid(2) in capsys.readouterr().out
    assert main(["legal", "lift", order["id"], "--reason", "结案"]) != 0
    assert "approval_needed" in capsys.readouterr().err
    assert answered(capsys, "legal", "lift", order["id"], "--reason", "结案", "--ask")["act"] == "lift_legal_hold"
