//! The public operation of RSA, `block^e mod n`, over many blocks, each with its own key. All of it is arithmetic of ours on
//! limbs of 52 bits, the width that AVX-512 IFMA multiplies, so that what a key needs is computed once for every backend.
//!
//! Three ways give the same numbers: [`portable`], on every processor and the reference; [`one`], a single block whose
//! limbs lie across the vectors; [`eight`], a block in each of the eight lanes. Where there is no IFMA, the portable way
//! was measured (RSA-2048, Zen 5) at 20 µs, the `rsa` crate at 40 µs, and aws-lc-rs at 12.5 µs: but that one draws its
//! padding itself, out of our sight, and the same seeds would give other bytes on other machines.
//!
//! A padded block is a secret: no branch and no address depends on it. Modulus and exponent are public.

#[cfg(target_arch = "x86_64")]
mod eight;
mod modulus;
#[cfg(target_arch = "x86_64")]
mod one;
mod portable;
#[cfg(test)]
mod tests;

pub(crate) use modulus::Modulus;

/// A block, and the modulus under which it is raised to the exponent that belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct Power<'a> {
    /// The modulus, with its exponent.
    pub(crate) modulus: &'a Modulus,
    /// As many octets as the modulus has, big-endian, and less than it as a number.
    pub(crate) block: &'a [u8],
}

/// What does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Ifma,
}

impl Backend {
    /// The fastest that this processor has.
    fn best() -> Backend {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma") {
            return Backend::Ifma;
        }
        Backend::Portable
    }
}

/// The name of what does the work on this processor.
pub(crate) fn backend() -> &'static str {
    match Backend::best() {
        Backend::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => "AVX-512 IFMA",
    }
}

/// Raises all of them, where it pays eight side by side; the results are in their order, each of as many octets as its
/// modulus has.
pub(crate) fn raise_all(powers: &[Power<'_>]) -> Vec<Vec<u8>> {
    raise_all_with(Backend::best(), powers)
}

fn raise_all_with(backend: Backend, powers: &[Power<'_>]) -> Vec<Vec<u8>> {
    match backend {
        Backend::Portable => powers.iter().map(portable::raise).collect(),
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => raise_in_lanes(powers),
    }
}

/// Of so many blocks under moduli of that many limbs, eight lanes of which some idle are quicker than one after the other.
#[cfg(target_arch = "x86_64")]
fn worth_lanes(limbs: usize) -> usize {
    match limbs {
        ..=40 => 5,
        41..=60 => 6,
        _ => 7,
    }
}

#[cfg(target_arch = "x86_64")]
fn raise_in_lanes(powers: &[Power<'_>]) -> Vec<Vec<u8>> {
    let mut raised = vec![Vec::new(); powers.len()];
    let mut order: Vec<(usize, &Power<'_>)> = powers.iter().enumerate().collect();
    let kind = |power: &Power<'_>| (power.modulus.limbs(), power.modulus.exponent());
    order.sort_by_key(|(_, power)| kind(power));
    for alike in order.chunk_by(|(_, one), (_, other)| kind(one) == kind(other)) {
        for group in alike.chunks(8) {
            let results = raise_group(&group.iter().map(|(_, power)| **power).collect::<Vec<_>>());
            for ((at, _), result) in group.iter().zip(results) {
                if let Some(place) = raised.get_mut(*at) {
                    *place = result;
                }
            }
        }
    }
    raised
}

/// One to eight with one size and one exponent.
#[cfg(target_arch = "x86_64")]
fn raise_group(group: &[Power<'_>]) -> Vec<Vec<u8>> {
    match group {
        [first, ..] if group.len() >= worth_lanes(first.modulus.limbs()) => eight::raise(group),
        _ => group.iter().map(one::raise).collect(),
    }
}
