//! RSA key transport, the way there: content keys are padded and encrypted to RSA keys, many at once.
//!
//! The padding is made here, from the message's own generator, and not by the crate that raises the block to the exponent:
//! so the same seeds give the same bytes whichever backend a processor has, and messages and moduli can be taken together.

use super::algorithm::{Hash, KeyTransport, Padding};
use super::lanes::rsa::{Modulus, Power, raise_all};
use super::{CryptoError, SecretBytes};
use rand::CryptoRng;
use rsa::BoxedUint;
use rsa::traits::PublicKeyParts;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::{fmt, slice};
use zeroize::{Zeroize, Zeroizing};

/// An RSA key in the form in which something is encrypted to it most quickly. Made once for a certificate.
#[derive(Clone)]
pub(crate) struct TransportKey {
    /// Of the modulus.
    octets: usize,
    operation: Operation,
}

#[derive(Clone)]
enum Operation {
    Lanes(Modulus),
    /// Of a size or with an exponent that the lanes have no kernel for: more than 4158 bits, or an even exponent.
    Crate(rsa::PublicKey),
}

impl TransportKey {
    /// Computes what depends on the key alone: about 4 µs for 2048 bits, 16 µs for 4096.
    pub(crate) fn new(key: rsa::PublicKey) -> TransportKey {
        let octets = key.size();
        let modulus = exponent(&key).and_then(|exponent| Modulus::new(&key.n_bytes(), exponent));
        let operation = modulus.map_or(Operation::Crate(key), Operation::Lanes);
        TransportKey { octets, operation }
    }

    /// Of the modulus, and of whatever is encrypted to it.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }
}

/// If it is one of 64 bits.
fn exponent(key: &rsa::PublicKey) -> Option<u64> {
    let octets = key.e_bytes();
    let octet = |number: u64, &octet: &u8| number.checked_mul(256)?.checked_add(octet.into());
    octets.iter().try_fold(0, octet)
}

/// Shows the size only.
impl fmt::Debug for TransportKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TransportKey({} octets)", self.octets)
    }
}

/// A padded content key, and the RSA key that it is for.
pub(crate) struct Padded<'k> {
    key: &'k TransportKey,
    /// As many octets as the modulus has; the first one is zero, so that it is less as a number.
    block: Zeroizing<Vec<u8>>,
}

impl KeyTransport {
    /// Pads a content key for an RSA key; the padding's random bytes come from `rng`, the message's own generator. It fails
    /// where the key is too short for the content key.
    pub(crate) fn pad<'k>(
        &self,
        key: &'k TransportKey,
        content_key: &SecretBytes,
        rng: &mut impl CryptoRng,
    ) -> Result<Padded<'k>, CryptoError> {
        let secret = content_key.expose();
        let mut block = Zeroizing::new(vec![0; key.octets]);
        let padded = match self.padding {
            Padding::Pkcs1V1_5 => pkcs1_v1_5(&mut block, secret, rng),
            Padding::Oaep(Hash::Sha1) => oaep::<Sha1>(&mut block, secret, rng),
            Padding::Oaep(Hash::Sha256) => oaep::<Sha256>(&mut block, secret, rng),
            Padding::Oaep(Hash::Sha384) => oaep::<Sha384>(&mut block, secret, rng),
            Padding::Oaep(Hash::Sha512) => oaep::<Sha512>(&mut block, secret, rng),
        };
        padded.map(|()| Padded { key, block }).ok_or(CryptoError::Failed(self.name))
    }
}

/// The RSA operation over all of them, of many messages and keys side by side; the results are in their order,
/// and one that failed is empty.
pub(crate) fn encrypt_all(padded: Vec<Padded<'_>>) -> Vec<Vec<u8>> {
    let mut in_lanes = raise_all(&padded.iter().filter_map(Padded::power).collect::<Vec<_>>()).into_iter();
    let encrypted = padded.iter().map(|padded| match &padded.key.operation {
        Operation::Lanes(_) => in_lanes.next().unwrap_or_default(),
        Operation::Crate(key) => padded.encrypt_by_crate(key),
    });
    encrypted.collect()
}

impl Padded<'_> {
    fn power(&self) -> Option<Power<'_>> {
        match &self.key.operation {
            Operation::Lanes(modulus) => Some(Power { modulus, block: &self.block }),
            Operation::Crate(_) => None,
        }
    }
    fn encrypt_by_crate(&self, key: &rsa::PublicKey) -> Vec<u8> {
        let block = Zeroizing::new(BoxedUint::from_be_slice_vartime(&self.block));
        // It has no other fault than that of a number too large, which a block is not.
        let raised =
            rsa::hazmat::rsa_encrypt(key, &block).map(|raised| raised.to_be_bytes()).unwrap_or_default();
        let start = raised.len().saturating_sub(self.key.octets);
        raised.get(start..).unwrap_or_default().to_vec()
    }
}

/// Octets that are random in EME-PKCS1-v1_5 at least.
const FEWEST_RANDOM: usize = 8;

/// EME-PKCS1-v1_5 (RFC 8017 7.2.1): 00 02, random octets none of which is zero, 00, the message.
fn pkcs1_v1_5(block: &mut [u8], message: &[u8], rng: &mut impl CryptoRng) -> Option<()> {
    let start = block.len().checked_sub(message.len())?;
    let (before, place) = block.split_at_mut_checked(start)?;
    let [_, kind, random @ .., _] = before else { return None };
    if random.len() < FEWEST_RANDOM {
        return None;
    }
    *kind = 2;
    fill_without_zeros(random, rng);
    place.copy_from_slice(message);
    Some(())
}

/// An octet that is zero is drawn again, until it is not. How often that happens says nothing of those that stay.
fn fill_without_zeros(random: &mut [u8], rng: &mut impl CryptoRng) {
    rng.fill_bytes(random);
    for octet in random {
        while *octet == 0 {
            rng.fill_bytes(slice::from_mut(octet));
        }
    }
}

/// EME-OAEP (RFC 8017 7.1.1) with an empty label and MGF1 with the same hash: 00, the masked seed, and masked the label's
/// hash, zeros, 01 and the message.
fn oaep<D: Digest>(block: &mut [u8], message: &[u8], rng: &mut impl CryptoRng) -> Option<()> {
    let hash_len = <D as Digest>::output_size();
    let (_, masked) = block.split_first_mut()?;
    let (seed, data) = masked.split_at_mut_checked(hash_len)?;
    let (label_hash, rest) = data.split_at_mut_checked(hash_len)?;
    let (zeros, place) = rest.split_at_mut_checked(rest.len().checked_sub(message.len())?)?;
    *zeros.last_mut()? = 1;
    place.copy_from_slice(message);
    label_hash.copy_from_slice(&D::digest([]));
    rng.fill_bytes(seed);
    mask::<D>(seed, data);
    mask::<D>(data, seed);
    Some(())
}

/// Adds MGF1 of the seed (RFC 8017 B.2.1).
fn mask<D: Digest>(seed: &[u8], target: &mut [u8]) {
    for (counter, octets) in (0u32..).zip(target.chunks_mut(<D as Digest>::output_size())) {
        let mut hash = D::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        octets.iter_mut().zip(&hash).for_each(|(octet, mask)| *octet ^= mask);
        hash.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests;
