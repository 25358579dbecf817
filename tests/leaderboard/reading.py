"""A page as its reader sees it."""

import re
from typing import Any

HTMX = {"HTTP_HX_REQUEST": "true"}


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())
