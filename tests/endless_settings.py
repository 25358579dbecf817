"""The settings of a site with pages that spin; never deployed."""

from arena.settings import *  # noqa: F403

ROOT_URLCONF = "tests.endless_urls"
