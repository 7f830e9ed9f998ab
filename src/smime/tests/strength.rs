//! Which algorithms of sealed messages are told to be weak.

use super::damage::{enveloped, join, oid, replace, split};
use super::*;
use crate::cms::{Recipient, RecipientKind};
use crate::crypto::algorithm::{AES_256_CBC, AES_256_GCM, ECDH_SHA224, ECDH_SHA256};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_RSAES_OAEP, ID_SHA_256, ID_SHA_384};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\nhello\r\n";

/// What is weak in a message in which one identifier was exchanged for another one.
fn weak(
    to: &Person,
    profile: Profile,
    from: ObjectIdentifier,
    by: ObjectIdentifier,
) -> Vec<ObjectIdentifier> {
    let (header, der) = split(seal_for(MESSAGE, &[to.validated()], profile).bytes());
    let changed = join(&header, &replace(&der, &oid(from), &oid(by)));
    weak_algorithms(&enveloped(&changed)).into_iter().collect()
}

#[test]
fn nothing_that_we_write_is_weak() {
    for profile in CLASSICAL {
        let sealed = seal_for(MESSAGE, &[alice().validated(), dana().validated()], profile);
        assert!(weak_algorithms(&enveloped(sealed.bytes())).is_empty(), "{}", profile.name());
    }
}

#[test]
fn what_is_not_in_the_policy_for_writing_is_named_once() {
    let (cbc, gcm) = (AES_256_CBC.oid, AES_256_GCM.oid);
    assert_eq!(weak(alice(), Profile::Compatible, cbc, gcm), [gcm], "a cipher in the wrong structure");
    let hash = weak(alice(), Profile::Modern, ID_SHA_256, ID_SHA_384);
    assert_eq!(hash, [ID_RSAES_OAEP], "with a hash that we do not write");
    let (sha256, sha224) = (ECDH_SHA256.oid, ECDH_SHA224.oid);
    assert_eq!(weak(dana(), Profile::Compatible, sha256, sha224), [sha224]);
    let mut twice = enveloped(seal_for_alice(MESSAGE, Profile::Compatible).bytes());
    let first = twice.recipients[0].clone();
    let unknown = Recipient { kind: RecipientKind::Password, ..first.clone() };
    let oid = first.algorithm.oid;
    twice.recipients.extend([unknown.clone(), first, unknown]);
    assert_eq!(weak_algorithms(&twice).into_iter().collect::<Vec<_>>(), [oid], "a kind that we never write");
}
