//! BoringSSL's revocation lists: a certificate, its authority and a list in each file, whose name says what is expected.

use super::*;
use crate::mail::vectors::files;
use crate::pki::revocation::check::check;
use time::macros::datetime;

const FOLDER: &str = "boringssl-pki/pki/testdata/crl_unittest";

/// The time of its tests.
const AT: OffsetDateTime = datetime!(2017-03-09 00:00 UTC);

/// Its keys have 1024 bits.
const RSA_BITS: usize = 1024;

/// What stands in the file: the certificate, who may sign lists for it, the list.
fn parts(bytes: &[u8]) -> Result<(Certificate, Vec<Certificate>, Crl), String> {
    let blocks = crate::pki::pem::read(bytes).map_err(|error| error.to_string())?;
    let of = |label: &'static str| blocks.iter().filter(move |block| block.label.starts_with(label));
    let certificate = |der: &[u8]| Certificate::from_der(der).map_err(|error| error.to_string());
    let leaf = certificate(&of("CERTIFICATE").next().unwrap().der)?;
    let signers = of("CA CERTIFICATE").map(|block| certificate(&block.der)).collect::<Result<_, _>>()?;
    let crl = Crl::from_der(&of("CRL").next().unwrap().der).map_err(|error| error.to_string())?;
    Ok((leaf, signers, crl))
}

fn judge(name: &str, bytes: &[u8]) -> Result<(), String> {
    let found = match parts(bytes) {
        Ok((leaf, signers, crl)) => {
            let signers: Vec<&Certificate> = signers.iter().collect();
            format!("{:?}", check(&leaf, &signers, &[crl], AT, RSA_BITS))
        }
        Err(why) => why,
    };
    let as_expected = match name.split(['_', '.']).next().unwrap() {
        "good" => found == "Good",
        "revoked" => found.starts_with("Revoked"),
        _ => found != "Good",
    };
    if as_expected { Ok(()) } else { Err(found) }
}

#[test]
fn the_lists_of_boringssl_are_judged_as_it_says() {
    let mut verdicts = Verdicts::on(FOLDER);
    let mut found = 0;
    for (path, bytes) in files(FOLDER) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".pem") {
            found += 1;
            verdicts.add(&[name], judge(name, &bytes));
        }
    }
    assert_eq!(verdicts.close(), found);
    assert!(found == 0 || found == 66, "{found}");
}
