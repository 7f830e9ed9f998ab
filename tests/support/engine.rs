//! An engine over what a test does not care for, and a certificate of the library's own making.

use sealpost::config::{Config, TrustBundle};
use sealpost::crypto::Seed;
use sealpost::engine::{Directory, Engine, Mailstore, NoHelpers, NoOutbox, RuleCache, Settings};
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity,
    self_sign,
};
use sealpost::system::{SystemClock, SystemEntropy};

/// What an engine borrows beside directory and store: as a site has it that says nothing.
pub(crate) struct EngineParts {
    bundle: TrustBundle,
    rules: RuleCache,
    settings: Settings,
}

impl Default for EngineParts {
    fn default() -> EngineParts {
        let (bundle, rules) = (TrustBundle::default(), RuleCache::default());
        EngineParts { bundle, rules, settings: Config::default().settings }
    }
}

impl EngineParts {
    pub(crate) fn engine<'e>(&'e self, directory: &'e dyn Directory, store: &'e dyn Mailstore) -> Engine<'e> {
        Engine {
            directory,
            store,
            clock: &SystemClock,
            entropy: &SystemEntropy,
            built_in: &self.bundle,
            outbox: &NoOutbox,
            helpers: &NoHelpers,
            rules: &self.rules,
            settings: &self.settings,
        }
    }
}

/// One RSA key and its certificate for all of these, by an authority that nobody knows.
pub(crate) fn issued(people: &[Address], validity: Validity) -> (UnlockedKey, Certificate) {
    let seed = |number: u8| Seed::from_bytes(&mut [number; 32]);
    let root_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
    let root = self_sign(&root_key, &profile, seed(2)).unwrap();
    let key = UnlockedKey::generate(KeyType::Rsa2048, seed(3)).unwrap();
    let user = UserProfile { common_name: "both", addresses: people, validity, reads: Reads::Cbc };
    let authority = Authority::new(&root, &root_key).unwrap();
    let certificate = authority.issue(&key.public(), &user, seed(4)).unwrap();
    (key, certificate)
}
