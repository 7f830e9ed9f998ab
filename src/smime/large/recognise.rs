//! A large message that its sender encrypted already is stored as it is.

use super::message::LargeMessage;
use super::seal::LargeSealed;
use crate::cms::Protection;
use crate::pki::Certificate;
use crate::smime::recognise::{sealed_to_all, written_cipher};
use crate::smime::{OpenPgp, SealFacts};

/// The message as it is, where [`recognise`](crate::smime::recognise()) would leave it so.
pub fn recognise_large<'m>(
    message: &'m LargeMessage<'m>,
    accounts: &[&[Certificate]],
    openpgp: OpenPgp,
) -> Option<LargeSealed<'m>> {
    match message.protection() {
        Protection::OpenPgp if openpgp == OpenPgp::Keep => {
            Some(LargeSealed { message, fresh: None, facts: SealFacts::default() })
        }
        Protection::Encrypted(enveloped) => {
            let cipher = Some(written_cipher(enveloped)?);
            let recipients = sealed_to_all(enveloped, accounts)?;
            let facts = SealFacts { cipher, recipients, headers_kept: None };
            Some(LargeSealed { message, fresh: None, facts })
        }
        _ => None,
    }
}
