//! The one table: which form is opened by whom. Each verdict is asserted, "no" too, and docs/INTEROP.md is written from it.

use super::form::{Form, Maker};
use super::person::By::{self, Bob, Carol, Dana, Erin, Frank, Grace, Heidi, Ivan};
use super::reader::Reader::{
    self, BouncyCastle, Gpgsm, NodeForge, Nss, OpenSsl3, OpenSsl4, Sealpost, Thunderbird,
};

type Readers = &'static [Reader];
type Keys = &'static [(By, &'static str)];

const fn sealpost(
    name: &'static str,
    options: &'static str,
    to: &'static [By],
    by: By,
    opened_by: Readers,
) -> Form {
    Form { name, maker: Maker::Sealpost { options, to }, by, opened_by }
}

const fn openssl_3(name: &'static str, options: &'static str, to: Keys, by: By, opened_by: Readers) -> Form {
    Form { name, maker: Maker::OpenSsl3 { options, to }, by, opened_by }
}

const fn openssl_4(name: &'static str, options: &'static str, to: Keys, by: By, opened_by: Readers) -> Form {
    Form { name, maker: Maker::OpenSsl4 { options, to }, by, opened_by }
}

const COMPATIBLE: &str = "--profile=compatible";
const MODERN: &str = "--profile=modern";
const POST_QUANTUM: &str = "--profile=post-quantum";
const ALSO_CLASSICAL: &str = "--profile=post-quantum --also-classical";
const COMPATIBLE_BY_KEY: &str = "--profile=compatible --name-by=key-identifier";
const MODERN_BY_KEY: &str = "--profile=modern --name-by=key-identifier";
const POST_QUANTUM_BY_KEY: &str = "--profile=post-quantum --name-by=key-identifier";
const ALL_CLASSICAL: &[By] = &[Bob, Dana, Erin, Frank, Grace];
const EVERYBODY: Readers = &Reader::ALL;
const RC2_128: &str = "-rc2-128 -provider legacy -provider default";
const RC2_40: &str = "-rc2-40 -provider legacy -provider default";
const OAEP: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
const OAEP_SHA_512: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512";
const ECDH: &str = "-keyopt ecdh_kdf_md:sha256 -aes256-wrap";
const COFACTOR: &str = "-keyopt ecdh_kdf_md:sha512 -keyopt ecdh_cofactor_mode:1 -aes192-wrap";
const SHA_384: &str = "-keyopt ecdh_kdf_md:sha384";
const SHA_512: &str = "-keyopt ecdh_kdf_md:sha512 -aes256-wrap";
const KEYING_MATERIAL: &str = "-recip_kdf HKDF-SHA512 -recip_ukm 6b657973";
/// NSS 3.87 and gpgsm 2.2 know no OAEP.
const OAEP_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, BouncyCastle];
/// No NSS and no gpgsm 2.2 opens AuthEnvelopedData.
const GCM_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4, BouncyCastle];
/// NSS 3.87 and gpgsm 2.2 know no key agreement.
const ECDH_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, BouncyCastle];
/// Bouncy Castle 1.72 has no class that opens AuthEnvelopedData by key agreement.
const ECDH_GCM_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4];
/// NSS 3.87 gives a message up where it meets an EC recipient.
const BESIDE_EC_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, Gpgsm, BouncyCastle];
/// Every NSS gives a message up where it meets a recipient by password or KEM.
const BESIDE_OTHERS_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4, Gpgsm, BouncyCastle];
/// OpenSSL has RC2 in a provider that its reader must ask for.
const RC2_READERS: Readers = &[Sealpost, Nss, Thunderbird, BouncyCastle];
/// RFC 8418 stands alone: no program that is at hand reads it.
const X25519_READERS: Readers = &[Sealpost];
/// RFC 9936.
const KEM_READERS: Readers = &[Sealpost, OpenSsl4];
/// gpgsm, Python and node-forge know issuer and serial number only.
const BY_KEY_READERS: Readers = &[Sealpost, OpenSsl3, OpenSsl4, Nss, Thunderbird, BouncyCastle];
/// Python opens AES-128 and AES-256 in CBC mode by PKCS#1 v1.5, in DER, and nothing else.
const ALL_BUT_PYTHON: Readers =
    &[Sealpost, OpenSsl3, OpenSsl4, Nss, Thunderbird, Gpgsm, BouncyCastle, NodeForge];

/// What is written; for whom, each with the options of that key; who reads it with its own key; which programs do.
pub(super) const FORMS: &[Form] = &[
    sealpost("compatible", COMPATIBLE, &[Bob], Bob, EVERYBODY),
    sealpost("compatible, read by the second of two", COMPATIBLE, &[Carol, Bob], Bob, EVERYBODY),
    sealpost("compatible, RSA and EC together", COMPATIBLE, &[Bob, Dana], Bob, BESIDE_EC_READERS),
    sealpost("compatible, RSA and EC together", COMPATIBLE, &[Bob, Dana], Dana, ECDH_READERS),
    sealpost("compatible", COMPATIBLE, &[Dana], Dana, ECDH_READERS),
    sealpost("modern", MODERN, &[Bob], Bob, GCM_READERS),
    sealpost("modern, read by the second of two", MODERN, &[Carol, Bob], Bob, GCM_READERS),
    sealpost("modern, RSA and EC together", MODERN, &[Dana, Bob], Dana, ECDH_GCM_READERS),
    sealpost("modern", MODERN, &[Dana], Dana, ECDH_GCM_READERS),
    sealpost("compatible", COMPATIBLE, &[Erin], Erin, ECDH_READERS),
    sealpost("compatible", COMPATIBLE, &[Frank], Frank, ECDH_READERS),
    sealpost("modern", MODERN, &[Erin], Erin, ECDH_GCM_READERS),
    sealpost("modern", MODERN, &[Frank], Frank, ECDH_GCM_READERS),
    sealpost("modern", MODERN, &[Grace], Grace, X25519_READERS),
    sealpost("modern, every kind of key together", MODERN, ALL_CLASSICAL, Bob, GCM_READERS),
    sealpost("modern, every kind of key together", MODERN, ALL_CLASSICAL, Frank, ECDH_GCM_READERS),
    sealpost("auto, to a certificate that names no ciphers", "--profile=auto", &[Bob], Bob, EVERYBODY),
    sealpost("compatible, subjectKeyIdentifier", COMPATIBLE_BY_KEY, &[Bob], Bob, BY_KEY_READERS),
    sealpost("compatible, subjectKeyIdentifier", COMPATIBLE_BY_KEY, &[Dana], Dana, ECDH_READERS),
    sealpost("modern, subjectKeyIdentifier", MODERN_BY_KEY, &[Bob], Bob, GCM_READERS),
    sealpost("post-quantum", POST_QUANTUM, &[Heidi], Heidi, KEM_READERS),
    sealpost("post-quantum", POST_QUANTUM, &[Ivan], Ivan, KEM_READERS),
    sealpost("post-quantum, read by the second of two", POST_QUANTUM, &[Ivan, Heidi], Heidi, KEM_READERS),
    sealpost("post-quantum, subjectKeyIdentifier", POST_QUANTUM_BY_KEY, &[Heidi], Heidi, KEM_READERS),
    sealpost("post-quantum, also classical", ALSO_CLASSICAL, &[Bob, Dana, Heidi], Heidi, KEM_READERS),
    sealpost("post-quantum, also classical", ALSO_CLASSICAL, &[Bob, Dana, Heidi], Bob, GCM_READERS),
    sealpost("post-quantum, also classical", ALSO_CLASSICAL, &[Bob, Dana, Heidi], Dana, ECDH_GCM_READERS),
    openssl_3("AES-256-CBC, PKCS#1 v1.5", "-aes-256-cbc", &[(Bob, "")], Bob, EVERYBODY),
    openssl_3(
        "AES-128-CBC, PKCS#1 v1.5, two recipients",
        "-aes-128-cbc",
        &[(Carol, ""), (Bob, "")],
        Bob,
        EVERYBODY,
    ),
    openssl_3("AES-192-CBC, PKCS#1 v1.5", "-aes-192-cbc", &[(Bob, "")], Bob, ALL_BUT_PYTHON),
    openssl_3("3DES, PKCS#1 v1.5", "-des3", &[(Bob, "")], Bob, ALL_BUT_PYTHON),
    openssl_3("RC2 of 128 bits, PKCS#1 v1.5", RC2_128, &[(Bob, "")], Bob, RC2_READERS),
    openssl_3("RC2 of 40 bits, PKCS#1 v1.5", RC2_40, &[(Bob, "")], Bob, RC2_READERS),
    openssl_3(
        "AES-256-CBC, OAEP as OpenSSL writes it by default: SHA-1",
        "-aes-256-cbc",
        &[(Bob, "-keyopt rsa_padding_mode:oaep")],
        Bob,
        OAEP_READERS,
    ),
    openssl_3("AES-256-CBC, OAEP with SHA-256", "-aes-256-cbc", &[(Bob, OAEP)], Bob, OAEP_READERS),
    openssl_3("AES-128-CBC, OAEP with SHA-512", "-aes-128-cbc", &[(Bob, OAEP_SHA_512)], Bob, OAEP_READERS),
    openssl_3("AES-256-GCM, PKCS#1 v1.5", "-aes-256-gcm", &[(Bob, "")], Bob, GCM_READERS),
    openssl_3("AES-256-GCM, OAEP with SHA-256", "-aes-256-gcm", &[(Bob, OAEP)], Bob, GCM_READERS),
    openssl_3("subjectKeyIdentifier", "-aes-256-cbc -keyid", &[(Bob, "")], Bob, BY_KEY_READERS),
    openssl_3("BER of indefinite length", "-aes-256-cbc -stream -indef", &[(Bob, "")], Bob, ALL_BUT_PYTHON),
    openssl_3("RSA and EC together", "-aes-256-cbc", &[(Bob, ""), (Dana, ECDH)], Bob, BESIDE_EC_READERS),
    openssl_3(
        "a password beside RSA",
        "-aes-256-cbc -pwri_password judge",
        &[(Bob, "")],
        Bob,
        BESIDE_OTHERS_READERS,
    ),
    openssl_3("ECDH with SHA-256", "-aes-256-cbc", &[(Dana, ECDH)], Dana, ECDH_READERS),
    openssl_3(
        "ECDH as OpenSSL writes it by default: SHA-1",
        "-aes-256-cbc",
        &[(Dana, "")],
        Dana,
        ECDH_READERS,
    ),
    openssl_3(
        "cofactor ECDH with SHA-512, AES-192 wrap",
        "-aes-128-cbc",
        &[(Dana, COFACTOR)],
        Dana,
        ECDH_READERS,
    ),
    openssl_3(
        "AES-192-GCM, ECDH with SHA-384, BER",
        "-aes-192-gcm -stream -indef",
        &[(Dana, SHA_384)],
        Dana,
        ECDH_GCM_READERS,
    ),
    openssl_3("ECDH with SHA-384", "-aes-256-cbc", &[(Erin, SHA_384)], Erin, ECDH_READERS),
    openssl_3("ECDH with SHA-512", "-aes-256-cbc", &[(Frank, SHA_512)], Frank, ECDH_READERS),
    openssl_3("to somebody else", "-aes-256-cbc", &[(Carol, "")], Bob, &[]),
    openssl_4("AES-256-CBC, PKCS#1 v1.5", "-aes-256-cbc", &[(Bob, "")], Bob, EVERYBODY),
    openssl_4("AES-256-GCM, OAEP with SHA-256", "-aes-256-gcm", &[(Bob, OAEP)], Bob, GCM_READERS),
    openssl_4("AES-256-GCM, ECDH with SHA-256", "-aes-256-gcm", &[(Dana, ECDH)], Dana, ECDH_GCM_READERS),
    openssl_4("AES-256-GCM, ECDH with SHA-384", "-aes-256-gcm", &[(Erin, SHA_384)], Erin, ECDH_GCM_READERS),
    openssl_4("AES-256-GCM, ECDH with SHA-512", "-aes-256-gcm", &[(Frank, SHA_512)], Frank, ECDH_GCM_READERS),
    openssl_4("AES-256-CBC, ML-KEM", "-aes-256-cbc", &[(Heidi, "")], Heidi, KEM_READERS),
    openssl_4("AES-256-GCM, ML-KEM", "-aes-256-gcm", &[(Heidi, "")], Heidi, KEM_READERS),
    openssl_4("AES-128-CBC, ML-KEM", "-aes-128-cbc", &[(Ivan, "")], Ivan, KEM_READERS),
    openssl_4(
        "AES-256-GCM, ML-KEM with HKDF-SHA-512 and keying material, BER",
        "-aes-256-gcm -stream -indef",
        &[(Ivan, KEYING_MATERIAL)],
        Ivan,
        KEM_READERS,
    ),
    openssl_4(
        "AES-256-GCM, ML-KEM, subjectKeyIdentifier",
        "-aes-256-gcm -keyid",
        &[(Ivan, "")],
        Ivan,
        KEM_READERS,
    ),
    openssl_4(
        "RSA and ML-KEM together",
        "-aes-256-cbc",
        &[(Bob, ""), (Heidi, "")],
        Bob,
        BESIDE_OTHERS_READERS,
    ),
    openssl_4("RSA and ML-KEM together", "-aes-256-cbc", &[(Bob, ""), (Heidi, "")], Heidi, KEM_READERS),
];
