//! Sealpost seals mail as it is stored.
//!
//! An MTA hands over a message, rules decide, S/MIME seals it to the owner of the mailbox, and only then does
//! it touch the mail store. ARCHITECTURE.md walks through the rooms; a room uses only rooms to its left:
//!
//! `crypto mail | cms | pki rules | smime | vault | engine | system | directory store config courier helper | mailbox lmtp | cli`
//!
//! ```
//! use sealpost::{crypto::{Profile, Seed}, mail::crlf, pki::*, smime::*};
//! # use time::{Duration, OffsetDateTime};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = OffsetDateTime::now_utc();
//! # let key = UnlockedKey::generate(KeyType::Rsa2048, Seed::from_bytes(&mut [7; 32]))?;
//! # let profile = AuthorityProfile { subject: &Subject::named("anna"), dns_names: &[],
//! #     validity: Validity::lasting(now - Duration::days(1), Duration::days(30)) };
//! # let certificate = self_sign(&key, &profile, Seed::from_bytes(&mut [8; 32]))?;
//! # let issuer = Authority::new(&certificate, &key)?;
//! # let address = sealpost::mail::Address::parse("anna@north.example")?;
//! # let user = UserProfile { common_name: "Anna", addresses: std::slice::from_ref(&address), validity: profile.validity,
//! #     reads: sealpost::pki::Reads::Cbc };
//! # let certificate = issuer.issue(&key.public(), &user, Seed::from_bytes(&mut [9; 32]))?;
//! # let check = SealingCheck { addresses: &[address], at: now, minimum_rsa_bits: MINIMUM_RSA_BITS, anchors: None,
//! #     intermediates: &[], allow_expired: false, allow_not_yet_valid: false,
//! #     revocation: None };
//! let message = b"Subject: Hello\n\nA word in private.\n";
//! let fit = ValidatedCertificate::for_sealing(&certificate, &check).map_err(|unfit| format!("{unfit:?}"))?;
//! let seed = Seed::from_bytes(&mut [0; 32]); // the product asks the operating system
//! let mark = Mark { at: now, rule: None, marked: Vec::new(), edited: Vec::new() };
//! let job = SealJob { message, recipients: &[fit], form: Profile::Modern.into(), mark, seed };
//! let sealed = seal_many(vec![job]).remove(0)?;
//!
//! let keys = [OpeningKey { key: &key, certificate: Some(&certificate) }];
//! assert_eq!(open(sealed.bytes(), &keys)?.message.expose(), &*crlf(message));
//! # Ok(())
//! # }
//! ```

pub mod cli;
pub mod cms;
pub mod config;
pub mod courier;
pub mod crypto;
pub mod directory;
pub mod engine;
pub mod helper;
pub mod lmtp;
pub mod mail;
pub mod mailbox;
pub mod pki;
pub mod rules;
pub mod smime;
pub mod store;
pub mod system;
pub mod vault;
