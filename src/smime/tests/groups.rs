//! A message is sealed to the same bytes whatever is sealed beside it, and wherever.

use super::*;
use proptest::prelude::*;
use rayon::ThreadPool;

/// Sets of recipients with the form that they are sealed to in. The last two are refused.
fn audiences() -> &'static [(Vec<ValidatedCertificate>, Form)] {
    static AUDIENCES: OnceLock<Vec<(Vec<ValidatedCertificate>, Form)>> = OnceLock::new();
    AUDIENCES.get_or_init(|| {
        let kem = person_with(KeyType::MlKem768);
        let [alice, bob, dana, kem] = [alice(), bob(), dana(), &kem].map(Person::validated);
        let by_key = Form { naming: Naming::KeyIdentifier, ..Form::default() };
        let quantum = Form::from(Profile::PostQuantum);
        let beside = Form { classical: Classical::Beside, ..quantum };
        vec![
            (vec![alice.clone()], Form::default()),
            (vec![alice.clone(), bob.clone()], by_key),
            (vec![bob.clone(), dana.clone(), alice.clone()], Form::default()),
            (vec![alice.clone()], Profile::Modern.into()),
            (vec![dana, bob], Profile::Modern.into()),
            (vec![kem.clone()], quantum),
            (vec![kem.clone(), alice], beside),
            (Vec::new(), Form::default()),
            (vec![kem], Form::default()),
        ]
    })
}

/// One message of a group.
#[derive(Debug, Clone)]
struct Letter {
    length: usize,
    end: &'static str,
    audience: usize,
    headers: HeaderPolicy,
    number: u8,
}

fn letter() -> impl Strategy<Value = Letter> {
    // The last ones around the end of the first chunk, and of the second.
    let length = prop_oneof![0..40_usize, 0..4000_usize, 20_900..21_950_usize, 42_800..43_800_usize];
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    let headers = prop::sample::select(HeaderPolicy::ALL.to_vec());
    (length, end, 0..audiences().len(), headers, any::<u8>()).prop_map(
        |(length, end, audience, headers, number)| Letter { length, end, audience, headers, number },
    )
}

impl Letter {
    fn message(&self) -> Vec<u8> {
        let Letter { end, number, .. } = self;
        let line = format!("line of the letter {number}{end}");
        let head = format!("From: a@north.example{end}Subject: letter {number}{end}{end}");
        head.bytes().chain(line.bytes().cycle().take(self.length)).collect()
    }

    fn job<'a>(&self, message: &'a [u8]) -> SealJob<'a> {
        let (recipients, form) = &audiences()[self.audience];
        let job = job(message, recipients, form.profile, self.number);
        SealJob { form: Form { headers: self.headers, ..*form }, ..job }
    }
}

/// All that an outcome says.
fn outcomes(jobs: Vec<SealJob<'_>>) -> Vec<Result<(Vec<u8>, usize), String>> {
    let said = |sealed: Sealed| (sealed.bytes().to_vec(), sealed.facts().recipients.len());
    seal_many(jobs).into_iter().map(|outcome| outcome.map(said).map_err(|error| error.to_string())).collect()
}

fn pools() -> &'static [ThreadPool; 4] {
    static POOLS: OnceLock<[ThreadPool; 4]> = OnceLock::new();
    POOLS.get_or_init(|| {
        [1, 2, 4, 8].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
    })
}

/// What is not encrypted in a chain is done when it was prepared, and what fails too: nobody goes while some are queued.
#[test]
fn every_message_has_its_outcome_whatever_becomes_of_it_at_once() {
    // Sealed as a whole, refused, and both besides a chain.
    for kinds in [&[3][..], &[7], &[3, 7], &[3, 7, 0]] {
        for count in [5, 10, 40] {
            let letters: Vec<Letter> = (0..count)
                .map(|number| Letter {
                    length: if number < 2 { 200_000 } else { usize::from(number % 5) * 700 },
                    end: "\n",
                    audience: kinds[usize::from(number) % kinds.len()],
                    headers: HeaderPolicy::Keep,
                    number,
                })
                .collect();
            let messages: Vec<Vec<u8>> = letters.iter().map(Letter::message).collect();
            let jobs = || letters.iter().zip(&messages).map(|(letter, message)| letter.job(message));
            let alone: Vec<_> = jobs().flat_map(|job| outcomes(vec![job])).collect();
            for pool in pools() {
                let group = jobs().collect();
                let threads = pool.current_num_threads();
                assert!(pool.install(|| outcomes(group)) == alone, "{count} of {kinds:?}, {threads} threads");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// One failure is one outcome, and all stay in their order.
    #[test]
    fn a_message_is_sealed_alike_alone_and_in_any_group(letters in prop::collection::vec(letter(), 0..48)) {
        let messages: Vec<Vec<u8>> = letters.iter().map(Letter::message).collect();
        let jobs = || letters.iter().zip(&messages).map(|(letter, message)| letter.job(message));
        let alone: Vec<_> = jobs().flat_map(|job| outcomes(vec![job])).collect();
        for pool in pools() {
            let group = jobs().collect();
            prop_assert!(pool.install(|| outcomes(group)) == alone, "{} threads", pool.current_num_threads());
        }
    }
}

#[test]
fn a_certificate_is_parsed_once_for_all_its_clones() {
    let certificate = alice().certificate.clone();
    let clone = certificate.clone();
    assert!(std::ptr::eq(certificate.key().unwrap(), clone.key().unwrap()));
    assert!(std::ptr::eq(certificate.transport_key().unwrap(), clone.transport_key().unwrap()));
    let validated = validated(&certificate);
    let again = validated.clone();
    assert!(std::ptr::eq(certificate.key().unwrap(), again.certificate().key().unwrap()));
    assert!(dana().certificate.transport_key().is_none());
}
