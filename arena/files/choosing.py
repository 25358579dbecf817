"""Where files are kept, from one setting."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"
DATABASE = "arena.files.database.DatabaseStorage"
OBJECTS = "arena.files.object_storage.ObjectStorage"
UPLOADS = "default"
BUNDLES = "bundles"
"""Django's names of the two storages."""


def choose_storages(url: str) -> dict[str, dict[str, Any]]:
    """The entries of `STORAGES` for uploads and bundles.

    Without a URL uploads are in `MEDIA_ROOT`, which all hosts have to share, and bundles in the
    database. `s3://KEY:SECRET@HOST[:PORT]/BUCKET[/PREFIX][?region=NAME&tls=0]` keeps both there.
    Raises `ImproperlyConfigured`.
    """
    if not url:
        return {UPLOADS: {"BACKEND": FILE_SYSTEM}, BUNDLES: {"BACKEND": DATABASE}}
    options = read_object_url(url)
    prefix = options.pop("prefix")
    return {
        alias: {"BACKEND": OBJECTS, "OPTIONS": options | {"location": prefix + inner}}
        for alias, inner in ((UPLOADS, ""), (BUNDLES, "bundles"))
    }


def read_object_url(url: str) -> dict[str, Any]:
    """What django-storages wants to know, and the prefix of every name."""
    parts = urlsplit(url)
    bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
    if parts.scheme != "s3" or not parts.hostname or not bucket:
        raise ImproperlyConfigured("FILES_URL is empty or s3://KEY:SECRET@HOST/BUCKET")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := query.keys() - {"region", "tls"}:
        raise ImproperlyConfigured(f"FILES_URL: {', '.join(sorted(unknown))} is not known")
    scheme = "http" if query.get("tls") == "0" else "https"
    port = f":{parts.port}" if parts.port else ""
    return {
        "prefix": f"{prefix}/" if prefix else "",
        "bucket_name": bucket,
        "endpoint_url": f"{scheme}://{parts.hostname}{port}",
        # None: from the environment or the machine's role, as boto3 finds them.
        "access_key": unquote(parts.username) if parts.username else None,
        "secret_key": unquote(parts.password) if parts.password else None,
        "region_name": query.get("region"),
        "addressing_style": "path",
        "signature_version": "s3v4",
    }
