"""Fixtures for every test. The services behind them are in services.py."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection

from tests.services import Services

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Services) -> None:
    """Start PostgreSQL, or make the SQLite test database a file, which threads can share."""
    if services.database == "postgresql":
        services.start_postgresql()
    else:
        connection.settings_dict["TEST"]["NAME"] = str(services.folder / "test_arena")


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Rate limits and cached pages of one test are none of the next one's business."""
    yield
    cache.clear()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published data sets, too large to be part of the project."""
    folder = Path(os.environ.get("ARENA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no published data in {folder}; name its folder in ARENA_SHARED_DATA")
    return folder
