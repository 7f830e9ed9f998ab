"""Opens and seals with Python's `cryptography`, for tests/peers.rs.

judge.py open KEY CERTIFICATE FILE...    writes FILE.opened, or FILE.error with what went wrong
judge.py seal CERTIFICATE MESSAGE OUT
"""

import sys

from cryptography import x509
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
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
    key = load_pem_private_key(read(key), None)
    certificate = x509.load_pem_x509_certificate(read(certificate))
    for name in names:
        try:
            write(name + ".opened", pkcs7_decrypt_der(read(name), certificate, key, []))
        except Exception as error:
            write(name + ".error", repr(error).encode())


def seal(certificate, message, out):
    builder = PKCS7EnvelopeBuilder().set_data(read(message)).set_content_encryption_algorithm(AES256)
    builder = builder.add_recipient(x509.load_pem_x509_certificate(read(certificate)))
    write(out, builder.encrypt(Encoding.DER, [PKCS7Options.Binary]))


{"open": open_each, "seal": seal}[sys.argv[1]](*sys.argv[2:])
