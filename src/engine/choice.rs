//! Words of closed lists: config, command line, directory and output spell a value in one way only.

use super::{
    AttachmentPolicy, CertificateSource, CrlPolicy, DomainMode, Expired, InboxPolicy, MissingCertificate,
    Naming, OpenPgp, Recovery, SealedToOthers, Trust, Unusable,
};
use crate::crypto::{Classical, Profile};
use crate::mail::HeaderPolicy;
use crate::pki::Reads;
use crate::rules::RulesAllowed;

/// A value of a closed list, with its word.
pub trait Choice: Copy + PartialEq + Sized + 'static {
    /// Every value, in the order in which help shows them.
    const ALL: &'static [Self];

    /// Its word.
    fn name(self) -> &'static str;

    /// The value of a word, exactly as spelled.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|choice| choice.name() == word)
    }

    /// All words, for help and errors: `"seal", "plain"`.
    fn allowed() -> String {
        let words: Vec<String> = Self::ALL.iter().map(|choice| format!("\"{}\"", choice.name())).collect();
        words.join(", ")
    }
}

macro_rules! choice {
    ($type:ty { $($value:ident = $name:literal),+ $(,)? }) => {
        impl Choice for $type {
            const ALL: &'static [$type] = &[$(<$type>::$value),+];

            fn name(self) -> &'static str {
                match self {
                    $(<$type>::$value => $name),+
                }
            }
        }
    };
}

choice!(InboxPolicy { Seal = "seal", Plain = "plain" });
choice!(AttachmentPolicy { Seal = "seal", Plain = "plain" });
choice!(CertificateSource { Mail = "mail", Ldap = "ldap", Folder = "folder" });
choice!(Trust { Pinned = "pinned", Chain = "chain" });
choice!(Expired { Seal = "seal", Defer = "defer" });
choice!(Unusable { Defer = "defer", Reject = "reject", DomainKey = "domain-key" });
choice!(CrlPolicy { Soft = "soft", Hard = "hard" });
choice!(Recovery { No = "no", Yes = "yes" });
choice!(MissingCertificate { Defer = "defer", Reject = "reject", DomainKey = "domain-key", Plain = "plain" });
choice!(OpenPgp { Keep = "keep", Seal = "seal" });
choice!(SealedToOthers { Leave = "leave", Wrap = "wrap" });
choice!(Reads { Cbc = "aes-256-cbc", Gcm = "aes-256-gcm" });
choice!(Classical { Refused = "no", Beside = "yes" });
choice!(Naming { Certificate = "certificate", KeyIdentifier = "key-identifier" });
choice!(DomainMode { Disabled = "disabled", Test = "test", Enabled = "enabled" });

impl Choice for Profile {
    const ALL: &'static [Profile] = &Profile::ALL;

    fn name(self) -> &'static str {
        Profile::name(self)
    }
}

impl Choice for HeaderPolicy {
    const ALL: &'static [HeaderPolicy] = &HeaderPolicy::ALL;

    fn name(self) -> &'static str {
        HeaderPolicy::name(self)
    }
}

impl Choice for RulesAllowed {
    const ALL: &'static [RulesAllowed] = RulesAllowed::ALL;

    fn name(self) -> &'static str {
        RulesAllowed::name(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_word_is_its_value<C: Choice + std::fmt::Debug>() {
        for choice in C::ALL {
            assert_eq!(C::parse(choice.name()), Some(*choice));
        }
        assert_eq!(C::parse("Seal "), None);
    }

    #[test]
    fn words_and_values_go_both_ways() {
        every_word_is_its_value::<InboxPolicy>();
        every_word_is_its_value::<AttachmentPolicy>();
        every_word_is_its_value::<CertificateSource>();
        every_word_is_its_value::<Trust>();
        every_word_is_its_value::<Expired>();
        every_word_is_its_value::<Unusable>();
        every_word_is_its_value::<CrlPolicy>();
        every_word_is_its_value::<Recovery>();
        every_word_is_its_value::<MissingCertificate>();
        every_word_is_its_value::<OpenPgp>();
        every_word_is_its_value::<SealedToOthers>();
        every_word_is_its_value::<DomainMode>();
        every_word_is_its_value::<Profile>();
        every_word_is_its_value::<Classical>();
        every_word_is_its_value::<Naming>();
        every_word_is_its_value::<Reads>();
        every_word_is_its_value::<HeaderPolicy>();
        every_word_is_its_value::<RulesAllowed>();
        assert_eq!(MissingCertificate::allowed(), "\"defer\", \"reject\", \"domain-key\", \"plain\"");
    }
}
