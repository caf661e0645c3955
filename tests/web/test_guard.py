from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from inventory.web.guard import comes_from_elsewhere
from inventory.web.signing_in import local_path


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "http://hall:8460", "host": "hall:8460"}, False),
        ({"origin": "http://evil.example", "host": "hall:8460"}, True),
        ({"origin": "null", "host": "hall:8460"}, True),
        ({"host": "hall:8460"}, False),
    ],
)
def test_a_form_of_another_site_is_told_by_what_the_browser_says(headers: dict[str, str], *, elsewhere: bool) -> None:
    assert comes_from_elsewhere(Headers(headers)) is elsewhere


@pytest.mark.parametrize(
    ("target", "path"),
    [("/desk", "/desk"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"), ("", "/")],
)
def test_after_sign_in_nobody_is_sent_to_another_site(target: str, path: str) -> None:
    assert local_path(target) == path
