//! What the issuer took back is not taken: neither when it comes nor when it is accepted.

use super::signer::{Signer, add, offered, pending, store};
use crate::support::{Program, Store, path, tools};
use sealpost::directory::SqliteDirectory;
use sealpost::pki::read_crls;

/// A list of the store's authority with this certificate in it, given to the directory.
fn revoke(store: &Store, signer: &Signer) {
    let openssl = |words: &str| Program::new("openssl").words(words);
    let serial = openssl("x509 -noout -serial -in").args([path(&signer.certificate)]).run().text();
    let serial = serial.trim().strip_prefix("serial=").unwrap().to_owned();
    let (database, config, list) = (store.file("index.txt"), store.file("ca.cnf"), store.file("crl.pem"));
    let row = format!("R\t300101000000Z\t260101000000Z,keyCompromise\t{serial}\tunknown\t/CN=robert\n");
    std::fs::write(&database, row).unwrap();
    let settings = format!("[ca]\ndefault_ca=x\n[x]\ndatabase={}\ndefault_md=sha256\n", path(&database));
    std::fs::write(&config, settings).unwrap();
    let (ca, key) = (store.authority.certificate(), store.file("ca.key"));
    let files = ["-config", path(&config), "-cert", path(&ca), "-keyfile", path(&key), "-out", path(&list)];
    openssl("ca -gencrl -crldays 30").args(files).run().ok();
    let crls = read_crls(&std::fs::read(&list).unwrap()).unwrap();
    SqliteDirectory::open(&store.root()).unwrap().add_crl(&crls[0], "a test", &[]).unwrap();
}

#[test]
fn a_revoked_certificate_does_not_wait_and_is_not_accepted() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let (signer, message) = offered(&store);
    revoke(&store, &signer);
    let print = signer.fingerprint();
    let accept = format!("cert accept --account bob@north.example --fingerprint {print}");
    assert_eq!(
        store.command(&accept).run().stderr,
        format!(
            "sealpost: {print} is not accepted: it was revoked on 2026-01-01 (key-compromise)\n  sealpost cert refuse removes it\n"
        )
    );
    assert_eq!(pending(&store).len(), 1);
    let told = add(&store, &message);
    assert_eq!(told.stderr, format!("sealpost: {print} was not taken for bob@north.example: was revoked\n"));
}
