"""What a write job keeps of a card and its content."""

from __future__ import annotations

import json

from cardwriter.profiles import identify_script, measured_for, profile, read_facts
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop.samples import WHOLE_SET
from inventory.services.card_json import content_json, content_of, facts_json, facts_of, with_secrets
from tests.cardwriter.samples import ADM1, CHANNEL, EXPIRES, KEYS, K, blank_for, identify, some_data_for
from tests.cardwriter.station import run

SJA5 = profile("sysmo_isim_sja5")
SCP03 = profile("scp03")


def test_facts_survive_as_json_with_sizes_and_service_tables() -> None:
    script = identify_script("identify", EXPIRES, measured=measured_for(WHOLE_SET))
    facts = read_facts(run(VirtualUicc(blank_for(SJA5)), script))
    assert facts.contents
    assert facts_of(json.loads(json.dumps(facts_json(facts)))) == facts


def test_facts_that_an_older_release_kept_are_still_read() -> None:
    facts = read_facts(run(VirtualUicc(blank_for(SJA5)), identify_script("identify", EXPIRES)))
    older = {name: value for name, value in facts_json(facts).items() if name not in {"serial_raw", "contents"}}
    assert facts_of(older) == facts


def test_content_survives_as_json_and_its_secrets_are_not_in_it() -> None:
    content = some_data_for(SJA5)
    text = json.dumps(content_json(content))
    assert K.reveal().hex() not in text
    assert with_secrets(content_of(json.loads(text)), ADM1, KEYS) == content


def test_facts_of_a_card_with_a_secure_channel_survive_as_json() -> None:
    facts = identify(SCP03, VirtualUicc(blank_for(SCP03)))
    assert facts.greeting
    assert facts_of(json.loads(json.dumps(facts_json(facts)))) == facts


def test_keys_travel_where_the_script_is_encrypted_for_the_card_and_are_not_kept() -> None:
    content = some_data_for(SCP03)
    text = json.dumps(content_json(content))
    assert not content.product.allow_clear_keys
    assert CHANNEL.enc.reveal().hex() not in text
    assert with_secrets(content_of(json.loads(text)), ADM1, KEYS, CHANNEL) == content
    assert with_secrets(content_of(json.loads(text)), ADM1, KEYS).keys is None


def test_keys_stay_in_the_service_unless_the_product_lets_them_travel() -> None:
    plain = some_data_for(profile("preset_key"))
    assert with_secrets(plain, ADM1, KEYS).keys is None
    older = {name: value for name, value in content_json(plain).items() if name != "product"}
    assert content_of(older).product == plain.product
