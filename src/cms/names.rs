//! What people call an object identifier.

use crate::crypto::algorithm::entries;
use const_oid::ObjectIdentifier;
use const_oid::db::{DB, rfc5911, rfc6268};

/// The usual name, or the dotted form.
pub(super) fn oid_name(oid: &ObjectIdentifier) -> String {
    let ours = match *oid {
        rfc5911::ID_SIGNED_DATA => Some("SignedData"),
        rfc5911::ID_ENVELOPED_DATA => Some("EnvelopedData"),
        rfc5911::ID_CT_AUTH_ENVELOPED_DATA => Some("AuthEnvelopedData"),
        rfc6268::ID_CT_COMPRESSED_DATA => Some("CompressedData"),
        _ => None,
    };
    let in_tables = || entries().find(|entry| entry.oid == *oid).map(|entry| entry.name);
    ours.or_else(|| DB.by_oid(oid)).or_else(in_tables).map_or_else(|| oid.to_string(), str::to_owned)
}
