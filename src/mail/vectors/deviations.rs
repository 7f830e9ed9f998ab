//! What we do otherwise than the public vectors say: one list, a reason for each. A case that is listed here and goes as
//! its vector says is a failure too.

/// A row.
pub(crate) struct Deviation {
    /// A file below the folder of the vectors, or the files of one kind in a folder.
    place: &'static str,
    /// The file's name in a folder; a test's flag or comment in a file.
    case: &'static str,
    why: &'static str,
}

const fn row(place: &'static str, case: &'static str, why: &'static str) -> Deviation {
    Deviation { place, case, why }
}

const NSS_CONTAINERS: &str = "nss/tools-pkcs12/*.p12";
const OPENSSL_ML_KEM: &str = "openssl/recipes/15-test_ml_kem_codecs_data";
const OPENSSL_PEOPLE: &str = "openssl/smime-certs";
const NOT_RFC_9935: &str = "OpenSSL's own form of the key, not one of RFC 9935's three";
const ONLY_SIGNS: &str = "a key of this kind only signs";
const NO_KEY_AGREEMENT: &str =
    "its certificate lacks keyAgreement, without which nothing is agreed with it (RFC 5280 4.2.1.3)";
const OTHER_NONCE: &str = "nonces of other lengths than 12 octets (RFC 5084 3.2) are refused";
const SHORT_KEY: &str =
    "RFC 3394 2 wraps two blocks at least; no content key is shorter, and unwrapping asks for its length";
const SHA_224: &str = "OAEP with SHA-224 is written by no mail program that was met, and not read";
/// RFC 8017 7.1.2 step 3g.
const FIRST_OCTET: &str =
    "rsa 0.10 does not look at the octet Y; seed and label hash are checked, so it gives no key";
const RSA_PSS: &str = "a key for RSASSA-PSS only signs; no mail is sealed to it";

pub(crate) const DEVIATIONS: &[Deviation] = &[
    row(
        NSS_CONTAINERS,
        "TestOldAES128CA.p12",
        "an old NSS wrote a key length that is not its cipher's; OpenSSL refuses it too",
    ),
    row(NSS_CONTAINERS, "TestRSAPSS.p12", RSA_PSS),
    row(NSS_CONTAINERS, "TestUser-rsa-pss-interop.p12", RSA_PSS),
    row(OPENSSL_ML_KEM, "bare-seed.pem", NOT_RFC_9935),
    row(OPENSSL_ML_KEM, "bare-priv.pem", NOT_RFC_9935),
    row(OPENSSL_ML_KEM, "oqskeypair.pem", NOT_RFC_9935),
    row(OPENSSL_PEOPLE, "smroot.pem", "an authority's certificate; its key only signs"),
    row(OPENSSL_PEOPLE, "smdsa1.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "smdsa2.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "smdsa3.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "sm_mldsa44.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "sm_slhdsa_sha2_128s.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "sm_slhdsa_shake_128s.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "sm_slhdsa_shake_256s.pem", ONLY_SIGNS),
    row(OPENSSL_PEOPLE, "smdh.pem", "no profile writes Diffie-Hellman on finite fields (RFC 2631)"),
    row(OPENSSL_PEOPLE, "smec1.pem", NO_KEY_AGREEMENT),
    row(OPENSSL_PEOPLE, "smec2.pem", "a binary curve, which RFC 8551 does not name"),
    row(OPENSSL_PEOPLE, "smec3.pem", NO_KEY_AGREEMENT),
    row(OPENSSL_PEOPLE, "smrsa1024.pem", "1024 bits of RSA are below what is sealed to"),
    row(OPENSSL_PEOPLE, "sm_mlkem512.pem", "ML-KEM-512 is read and not written"),
    row("wycheproof/aes_gcm_test", "SmallIv", OTHER_NONCE),
    row("wycheproof/aes_gcm_test", "LongIv", OTHER_NONCE),
    row("wycheproof/aes_gcm_test", "ivSize 64", OTHER_NONCE),
    row("wycheproof/aes_gcm_test", "ivSize 128", OTHER_NONCE),
    row("wycheproof/aes_wrap_test", "EmptyKey", SHORT_KEY),
    row("wycheproof/aes_wrap_test", "ShortKey", SHORT_KEY),
    row("wycheproof/rsa_oaep_2048_sha1_mgf1sha1_test", "First byte is 1", FIRST_OCTET),
    row("wycheproof/rsa_oaep_2048_sha256_mgf1sha256_test", "First byte is 1", FIRST_OCTET),
    row("wycheproof/rsa_oaep_misc_test", "sha SHA-224", SHA_224),
    row("wycheproof/rsa_oaep_misc_test", "mgfSha SHA-224", SHA_224),
    row(
        "wycheproof/x25519_test",
        "ZeroSharedSecret",
        "a secret of zeros is everybody's: refused (RFC 8418 4), where the vectors leave it open",
    ),
];

/// The verdicts on one place of the vectors.
pub(crate) struct Verdicts {
    place: String,
    count: usize,
    deviating: Vec<&'static str>,
    faults: Vec<String>,
}

impl Verdicts {
    pub(crate) fn on(place: &str) -> Verdicts {
        Verdicts { place: place.to_owned(), count: 0, deviating: Vec::new(), faults: Vec::new() }
    }

    /// One more: it went as the vector says, or how it went. The list knows it by one of its names.
    pub(crate) fn add(&mut self, names: &[&str], went: Result<(), String>) {
        self.count += 1;
        let is_it = |row: &&Deviation| row.place == self.place && names.contains(&row.case);
        match (DEVIATIONS.iter().find(is_it), went) {
            (None, Ok(())) => {}
            (None, Err(how)) => self.faults.push(format!("{}: {how}", names.join(", "))),
            (Some(row), Err(_)) => self.deviating.push(row.case),
            (Some(row), Ok(())) => {
                let text =
                    format!("{}: it went well, strike it off the list ({})", names.join(", "), row.why);
                self.faults.push(text);
            }
        }
    }

    /// All of them are heard. Gives how many.
    pub(crate) fn close(self) -> usize {
        assert!(self.faults.is_empty(), "{}:\n{}", self.place, self.faults.join("\n"));
        for row in DEVIATIONS.iter().filter(|row| self.count > 0 && row.place == self.place) {
            assert!(self.deviating.contains(&row.case), "{}: there is no {}", row.place, row.case);
        }
        self.count
    }
}

/// The tests of the list itself.
mod tests {
    use super::*;

    #[test]
    fn every_deviation_has_a_reason() {
        assert!(DEVIATIONS.iter().all(|row| row.why.len() > 20));
    }

    #[test]
    #[should_panic(expected = "broken")]
    fn a_fault_that_is_not_listed_fails() {
        let mut verdicts = Verdicts::on("a file");
        verdicts.add(&["sound"], Ok(()));
        verdicts.add(&["broken"], Err("it is".to_owned()));
        verdicts.close();
    }
}
