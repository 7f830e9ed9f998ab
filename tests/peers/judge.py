"""Opens and seals with Python's `cryptography`, for tests/peers.rs.

judge.py open KEY CERTIFICATE FILE...    writes FILE.opened, or FILE.error with what went wrong
judge.py seal AES128|AES256 CERTIFICATE MESSAGE OUT
"""

import sys

from cryptography import x509
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7EnvelopeBuilder,
    PKCS7Options,
    pkcs7_decrypt_der,
)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def open_each(key, certificate, *names):
    for name in names:
        try:
            held = x509.load_pem_x509_certificate(read(certificate))
            unlocked = load_pem_private_key(read(key), None)
            write(name + ".opened", pkcs7_decrypt_der(read(name), held, unlocked, []))
        except Exception as error:
            write(name + ".error", repr(error).encode())


def seal(cipher, certificate, message, out):
    builder = PKCS7EnvelopeBuilder().set_data(read(message))
    builder = builder.set_content_encryption_algorithm(getattr(algorithms, cipher))
    builder = builder.add_recipient(x509.load_pem_x509_certificate(read(certificate)))
    write(out, builder.encrypt(Encoding.DER, [PKCS7Options.Binary]))


{"open": open_each, "seal": seal}[sys.argv[1]](*sys.argv[2:])
