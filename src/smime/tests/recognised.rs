//! What is stored as it is.

use super::*;

const MESSAGE: &[u8] = b"Subject: x\n\nhello\n";

fn recognised(message: &[u8], accounts: &[&[Certificate]]) -> Option<Sealed> {
    recognise(message, accounts, OpenPgp::Keep)
}

#[test]
fn a_message_encrypted_to_every_account_is_kept_as_it_is() {
    let (a, b) = (alice().certificate.clone(), bob().certificate.clone());
    for profile in Profile::ALL {
        let sealed = seal_for(MESSAGE, &[alice().validated(), bob().validated()], profile);
        let one = [a.clone()];
        let either = [b.clone(), a.clone()];
        for accounts in [&[one.as_slice()][..], &[&either], &[&one, &either]] {
            let kept = recognised(sealed.bytes(), accounts).unwrap();
            assert_eq!(kept.bytes(), sealed.bytes());
            assert_eq!(kept.cipher().map(|cipher| cipher.name), sealed.cipher().map(|cipher| cipher.name));
            assert_eq!(kept.recipients().len(), 2);
            assert!(kept.recipients().iter().any(|to| to.certificate == Some(a.fingerprint())));
        }
    }
}

#[test]
fn everything_else_is_sealed() {
    let (a, b) = ([alice().certificate.clone()], [bob().certificate.clone()]);
    let sealed = seal_for_alice(MESSAGE, Profile::Compatible);
    for accounts in [&[][..], &[&b[..]], &[&a, &b], &[&a, &[]]] {
        assert!(recognised(sealed.bytes(), accounts).is_none());
    }
    let lying = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\nAAAA\n";
    assert!(recognised(lying, &[&a]).is_none());
    assert!(recognised(MESSAGE, &[&a]).is_none());
}
