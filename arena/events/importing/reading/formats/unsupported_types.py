"""Files of another kind than can be read: each is told by its name, with what to do about it."""

from pathlib import Path

from arena.events.importing.report import UnreadableFileError

SAVE_AS_CSV = (
    "In Excel or LibreOffice choose Save As, then “CSV UTF-8 (comma delimited)”, and bring that "
    "file."
)
SAVE_AS_JSON_LINES = (
    "Write it as JSON Lines first, for instance with pandas, "
    'pd.{read}("{name}").to_json("{stem}.jsonl", orient="records", lines=True), '
    "and bring that file."
)
UNPACK = "Unpack it and bring the file inside; only gzip is read as it is."
EXCEL = "an Excel workbook"
# What is said of a file, by how its name ends: what it is, and what to do.
ADVICE_BY_SUFFIX = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls"), (EXCEL, SAVE_AS_CSV)),
    ".ods": ("an OpenDocument spreadsheet", SAVE_AS_CSV),
    ".numbers": ("a Numbers spreadsheet", "Export it as CSV and bring that file."),
    ".parquet": ("a Parquet file", SAVE_AS_JSON_LINES.replace("{read}", "read_parquet")),
    **dict.fromkeys(
        (".feather", ".arrow"),
        ("an Arrow file", SAVE_AS_JSON_LINES.replace("{read}", "read_feather")),
    ),
    **dict.fromkeys(
        (".pkl", ".pickle"), ("a pickle", SAVE_AS_JSON_LINES.replace("{read}", "read_pickle"))
    ),
    **dict.fromkeys((".zip", ".7z", ".bz2", ".xz", ".zst", ".tar"), ("an archive", UNPACK)),
    ".pdf": ("a PDF document", "Bring the data that it was made from, as CSV or JSON."),
    **dict.fromkeys((".docx", ".doc"), ("a Word document", "Bring the table as CSV.")),
    **dict.fromkeys((".sqlite", ".db"), ("an SQLite database", "Export the table as CSV.")),
    **dict.fromkeys((".html", ".htm"), ("a web page", "Bring the file that it links to.")),
    ".npy": ("a NumPy array", "Write it as CSV or JSON Lines and bring that file."),
    ".xml": ("an XML file", "Bring the data as CSV or JSON."),
    ".rtf": ("a text document (RTF)", "Bring the table as CSV."),
}
# The first bytes of each, and how its name would end.
SUFFIX_BY_MAGIC = {
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"FEA1": ".feather",
    b"\xd0\xcf\x11\xe0": ".xls",
    b"%PDF-": ".pdf",
    b"SQLite format 3": ".db",
    b"BZh": ".bz2",
    b"\xfd7zXZ\x00": ".xz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"7z\xbc\xaf": ".7z",
    b"<!DOCTYPE html": ".html",
    b"<!doctype html": ".html",
    b"<html": ".html",
    b"<?xml": ".xml",
    b"{\\rtf": ".rtf",
    b"\x93NUMPY": ".npy",
    **{b"\x80" + bytes([protocol]): ".pkl" for protocol in range(2, 6)},
}
# Where an archive of tar says what it is.
TAR_MAGIC = slice(257, 262)
LFS_POINTER = b"version https://git-lfs"


def refuse_other_file_types(head: bytes, name: str) -> None:
    """Raise `UnreadableFileError` where the first bytes or the name say that this is no CSV and no
    JSON."""
    if head.startswith(LFS_POINTER):
        message = "This is only a pointer of Git LFS. Fetch the file itself with `git lfs pull`."
        raise UnreadableFileError(1, message)
    path = Path(name)
    ending = suffix_of_content(head) or path.suffix.lower()
    if ending == ".zip" and path.suffix.lower() in ADVICE_BY_SUFFIX:
        ending = path.suffix.lower()
    if ending in ADVICE_BY_SUFFIX:
        what, advice = ADVICE_BY_SUFFIX[ending]
        advice = advice.replace("{name}", path.name or f"file{ending}")
        advice = advice.replace("{stem}", path.stem or "file")
        raise UnreadableFileError(1, f"This is {what}, which cannot be read here. {advice}")


def suffix_of_content(head: bytes) -> str:
    """How the name of a file that begins so would end; empty where it may be text."""
    if head.startswith(b"PK\x03\x04"):
        if b"opendocument.spreadsheet" in head:
            return ".ods"
        if b"word/" in head:
            return ".docx"
        return ".xlsx" if b"xl/" in head or b"[Content_Types].xml" in head else ".zip"
    if head[TAR_MAGIC] == b"ustar":
        return ".tar"
    return next((ending for magic, ending in SUFFIX_BY_MAGIC.items() if head.startswith(magic)), "")
