//! Sources that are watched and that change, and sealed messages of several pieces.

use super::people::{ELLA, seal};
use super::structure::{mail, octets, streamed};
use sealpost::crypto::Profile;
use sealpost::mail::{Source, Span};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Where the numbers of long messages begin, as first octets of an input: no structure has such a number, and no
/// structure and no text begins so.
pub(crate) const LONG: u8 = 0xf8;
/// More changes are not made.
const MOST_CHANGES: usize = 8;

/// A long message, changed as the input says, and with the last change undone: of what came before nothing is left if that
/// one changed the length. Nothing if the input speaks of none.
pub(crate) fn spoiled(input: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (&first, script) = input.split_first()?;
    let number = usize::from(first.checked_sub(LONG)?);
    let mut message = long_messages()[number % long_messages().len()].clone();
    let mut before = message.clone();
    for &change in script.as_chunks::<4>().0.iter().take(MOST_CHANGES) {
        before.clone_from(&message);
        apply(&mut message, change);
    }
    Some((message, before))
}

/// What, where (in steps of three octets), and with which octet.
fn apply(message: &mut Vec<u8>, [what, high, low, octet]: [u8; 4]) {
    let at = usize::from(u16::from_be_bytes([high, low])) * 3 % message.len().max(1);
    match what % 8 {
        0 => message.truncate(at),
        1 => message.insert(at, octet),
        2 => drop(message.drain(at..(at + usize::from(octet)).min(message.len()))),
        3 => drop(message.splice(at..at, vec![b'\n'; usize::from(octet) * 300])),
        4 => message.iter_mut().skip(at).take(1).for_each(|place| *place ^= 1),
        _ => message.iter_mut().skip(at).take(1).for_each(|place| *place = octet),
    }
}

/// Of one and of two pieces of ciphertext: in a chain, with a tag, as writers of streams do it, and by themselves.
pub(crate) fn long_messages() -> &'static [Vec<u8>] {
    static LONG: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LONG.get_or_init(|| {
        let sealed = |profile: Profile, lines: usize| {
            let text = format!("Subject: long\n\n{}", "xyzzy plugh, and so on\n".repeat(lines));
            seal(text.as_bytes(), &[&ELLA], profile, 9).expect("the profile serves this key").bytes().to_vec()
        };
        let chained = sealed(Profile::Compatible, 6_000);
        let stream = streamed(&octets(&sealed(Profile::Compatible, 3_500)));
        vec![chained.clone(), sealed(Profile::Modern, 4_000), mail(&stream), octets(&chained), stream]
    })
}

/// Counts what is read of it.
pub(crate) struct Watched<'m> {
    octets: &'m [u8],
    read: AtomicU64,
}

impl<'m> Watched<'m> {
    pub(crate) fn new(octets: &'m [u8]) -> Watched<'m> {
        Watched { octets, read: AtomicU64::new(0) }
    }

    pub(crate) fn span(&self) -> Span<'_> {
        Span::of(self)
    }

    /// Since this was asked last: header and ends of each multipart, and a few times all of it.
    pub(crate) fn assert_little_read(&self) {
        let read = self.read.swap(0, Ordering::Relaxed);
        let lower = self.octets.to_ascii_lowercase();
        let levels = lower.windows(9).filter(|word| word == b"multipart").count().min(100) as u64;
        let most = (12 + 8 * levels) * self.octets.len() as u64;
        assert!(read <= most, "{read} octets were read of {}, {levels} levels", self.octets.len());
    }
}

impl Source for Watched<'_> {
    fn len(&self) -> u64 {
        self.octets.len() as u64
    }
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.read.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.octets.read_at(at, into)
    }
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Somebody writes to it after so many reads, and it does not tell.
pub(crate) struct Fickle<'m> {
    before: &'m [u8],
    after: &'m [u8],
    left: AtomicUsize,
}

impl<'m> Fickle<'m> {
    pub(crate) fn new(before: &'m [u8], after: &'m [u8], reads: usize) -> Fickle<'m> {
        assert_eq!(before.len(), after.len());
        Fickle { before, after, left: AtomicUsize::new(reads) }
    }
}

impl Source for Fickle<'_> {
    fn len(&self) -> u64 {
        self.before.len() as u64
    }
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let one_less = |left: usize| left.checked_sub(1);
        let is_before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok();
        if is_before { self.before.read_at(at, into) } else { self.after.read_at(at, into) }
    }
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}
