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
const SMALL_NUMBER: &str = "aws-lc refuses such a ciphertext, where the vectors leave it open";
const RSA_PSS: &str = "a key for RSASSA-PSS only signs; no mail is sealed to it";

const BORINGSSL_CHAINS: &str = "boringssl-pki/pki/testdata/verify_certificate_chain_unittest";
const BORINGSSL_LISTS: &str = "boringssl-pki/pki/testdata/crl_unittest";
const LIMBO: &str = "limbo/limbo.json";
const AN_AUTHORITYS_DUTY: &str = "a duty of authorities (RFC 5280 4 and 5) that its validation (6) does not look at, and that real ones break";
const A_HOST: &str = "the names of hosts are compared with constraints only: mail is sealed to addresses";
const ANCHOR_IS_HELD: &str =
    "an anchor is held to its own certificate: its time, its usages, its constraints (RFC 5937)";
const TRUSTED_ITSELF: &str = "a certificate that is among the trusted ones is trusted, whatever else it is";
const NO_SHA_1: &str = "signatures with SHA-1 are refused";
const GENERALIZED_TIME: &str = "a time before 2050 as GeneralizedTime, which RFC 5280 4.1.2.5 forbids";

pub(crate) const DEVIATIONS: &[Deviation] = &[
    row(LIMBO, "crl::crlnumber-missing", AN_AUTHORITYS_DUTY),
    row(LIMBO, "crl::crlnumber-critical", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::aki::critical-aki", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::aki::leaf-missing-aki", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::aki::intermediate-missing-aki", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::aki::cross-signed-root-missing-aki", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::nc::permitted-dns-match-noncritical", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::nc::not-allowed-in-ee-noncritical", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::nc::not-allowed-in-ee-critical", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::pc::ica-noncritical-pc", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::san::noncritical-with-empty-subject", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::san::underscore-dns", A_HOST),
    row(LIMBO, "rfc5280::san::ip-in-dns", A_HOST),
    row(LIMBO, "rfc5280::serial::zero", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::ski::critical-ski", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::ski::root-missing-ski", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::ski::intermediate-missing-ski", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::root-non-critical-basic-constraints", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::leaf-ku-keycertsign", AN_AUTHORITYS_DUTY),
    row(LIMBO, "rfc5280::serial::negative", TRUSTED_ITSELF),
    row(LIMBO, "rfc5280::ca-as-leaf-wrong-san", A_HOST),
    row(BORINGSSL_CHAINS, "expired-root/not-after-ta-with-constraints", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "expired-root/not-after", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "expired-root/not-before", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "policies-inhibit-anypolicy-by-root-fail/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "policies-inhibit-mapping-by-root-fail/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "policies-on-root-wrong/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "policies-required-by-root-fail/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "policy-mappings-on-root-fail/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "policy-mappings-on-root-ok/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-basic-constraints-ca-false/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-eku-clientauth/serverauth-ta-with-expiration", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-eku-clientauth/serverauth", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-lacks-basic-constraints/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-lacks-basic-constraints/ta-with-constraints", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-lacks-basic-constraints/ta-with-require-basic-constraints", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "root-lacks-keycertsign-key-usage/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "violates-pathlen-1-from-root/main", ANCHOR_IS_HELD),
    row(BORINGSSL_CHAINS, "target-only/trusted_anchor", TRUSTED_ITSELF),
    row(BORINGSSL_CHAINS, "target-only/trusted_leaf_require_self_signed", TRUSTED_ITSELF),
    row(BORINGSSL_CHAINS, "target-selfissued/trusted_anchor", TRUSTED_ITSELF),
    row(BORINGSSL_CHAINS, "target-selfissued/trusted_leaf_require_self_signed", TRUSTED_ITSELF),
    row(BORINGSSL_CHAINS, "target-and-intermediate/trusted_leaf-root", TRUSTED_ITSELF),
    row(BORINGSSL_CHAINS, "intermediate-eku-c2pamanifest/any", GENERALIZED_TIME),
    row(BORINGSSL_CHAINS, "intermediate-eku-c2patimestamping/any", GENERALIZED_TIME),
    row(BORINGSSL_CHAINS, "intermediate-eku-server-gated-crypto/sha1-eku-any", NO_SHA_1),
    row(BORINGSSL_CHAINS, "issuer-and-subject-not-byte-for-byte-equal/target", NO_SHA_1),
    row(
        BORINGSSL_CHAINS,
        "issuer-and-subject-not-byte-for-byte-equal/anchor",
        "the key of its authority has 2047 bits, one less than is required",
    ),
    row(
        BORINGSSL_CHAINS,
        "target-has-512bit-rsa-key/main",
        "whoever uses the target's key judges its strength: SealingCheck refuses it",
    ),
    row(
        BORINGSSL_CHAINS,
        "target-msapplicationpolicies-and-eku/main",
        "a critical extension of Microsoft's, which nobody outside can process",
    ),
    row(
        LIMBO,
        "pathological::nc-dos-3",
        "a valid path, as the case says itself: its constraints are of other forms than its names, and cost nothing",
    ),
    row(
        BORINGSSL_CHAINS,
        "many-names/ok-all-types",
        "it is below the limit, and its names from t171.test on are outside of what is permitted (RFC 5280 4.2.1.10)",
    ),
    row(
        BORINGSSL_LISTS,
        "bad_crldp_has_crlissuer.pem",
        "a list of the certificate's own issuer clears it, whoever else lists it (RFC 5280 6.3.3, the last paragraph)",
    ),
    row(BORINGSSL_LISTS, "bad_idp_indirectcrl.pem", "indirect lists are read"),
    row(
        BORINGSSL_LISTS,
        "bad_thisupdate_too_old.pem",
        "a list is good until its nextUpdate, however old it is",
    ),
    row(
        BORINGSSL_LISTS,
        "good_no_version.pem",
        "lists of version 1 are refused: they cannot say what they cover",
    ),
    row(
        BORINGSSL_LISTS,
        "invalid_revoked_empty_sequence.pem",
        "an empty list that should be left out (RFC 5280 5.1.2.6): it says nothing else than its absence",
    ),
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
    row("wycheproof/rsa_oaep_misc_test", "SmallIntegerCiphertext", SMALL_NUMBER),
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
