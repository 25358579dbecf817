"""A mail server that answers each step of SMTP as it is told to, and keeps what it takes."""

import datetime
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Instead of a reply: nothing until the other side gives up; or the end of the connection.
SILENCE, HANG_UP = "silence", "hang up"
REPLIES = {
    "connect": "220 ready",
    "EHLO": "250 at your service",
    "MAIL": "250 go on",
    "RCPT": "250 known",
    "DATA": "354 speak",
    ".": "250 taken",
    "QUIT": "221 bye",
    "RSET": "250 forgotten",
    "AUTH": "235 welcome",
}


class MailServer:
    """Serves until it is closed. `script` says what differs from a server that takes everything."""

    def __init__(
        self,
        script: Mapping[str, str] | None = None,
        certificate: Path | None = None,
        port: int = 0,
    ) -> None:
        self.script = dict(script or {})
        self.certificate = certificate
        self.messages: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self.listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self) -> "MailServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse whoever comes now, and hang up on the others."""
        for each in (self.listener, *self.connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self.talk, args=[connection], daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        """One conversation."""
        with suppress(OSError), connection:
            if not self.say(connection, "connect"):
                return
            lines = connection.makefile("r", encoding="latin-1", newline="\r\n")
            while line := lines.readline():
                step = line.split()[0].upper()
                if not self.say(connection, step):
                    return
                if step == "STARTTLS" and self.certificate:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(self.certificate)
                    connection = context.wrap_socket(connection, server_side=True)
                    lines = connection.makefile("r", encoding="latin-1", newline="\r\n")
                if step == "DATA" and self.reply_to("DATA").startswith("354"):
                    message = "".join(iter(lines.readline, ".\r\n"))
                    if self.reply_to(".").startswith("250"):
                        self.messages.append(message)
                    if not self.say(connection, "."):
                        return

    def reply_to(self, step: str) -> str:
        return self.script.get(step, REPLIES.get(step, "502 unknown"))

    def say(self, connection: socket.socket, step: str) -> bool:
        """Answer a step; False where the conversation is over."""
        reply = self.reply_to(step)
        if reply == HANG_UP:
            connection.close()
            return False
        if reply == SILENCE:
            connection.recv(1)  # until the other side has given up
            return False
        connection.sendall(f"{reply}\r\n".encode())
        return True


def write_certificate(file: Path) -> Path:
    """A certificate for this machine that nobody has signed but itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
