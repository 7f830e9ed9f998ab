//! Key-encryption keys out of shared secrets.

use super::trace;
use hkdf::Hkdf;
use hkdf::hmac::EagerHash;
use sha2::Digest;
use zeroize::Zeroize;

/// Fills `out` with key bytes from a shared secret and what both sides know. `salt` is the user keying material, which
/// `info` holds too.
pub(super) type Derive = fn(secret: &[u8], salt: Option<&[u8]>, info: &[u8], out: &mut [u8]);

/// ANSI X9.63 (SEC 1 3.6.1): hashes over the secret, a counter from 1 on, and the shared info. It knows no salt. The
/// digest's own state is wiped by it.
pub(super) fn x963<D: Digest>(secret: &[u8], _salt: Option<&[u8]>, info: &[u8], out: &mut [u8]) {
    trace::record("derive");
    for (counter, block) in (1_u32..).zip(out.chunks_mut(<D as Digest>::output_size())) {
        let hash = D::new().chain_update(secret).chain_update(counter.to_be_bytes());
        let mut hash = hash.chain_update(info).finalize();
        block.iter_mut().zip(&hash).for_each(|(to, from)| *to = *from);
        hash.as_mut_slice().zeroize();
    }
}

/// HKDF (RFC 5869) as RFC 8418 2.2 and RFC 9629 5 use it. No key that is asked for comes near its limit of 255 hashes.
pub(super) fn hkdf<D: EagerHash>(secret: &[u8], salt: Option<&[u8]>, info: &[u8], out: &mut [u8]) {
    trace::record("derive");
    let _ = Hkdf::<D>::new(salt, secret).expand(info, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::known_answers::unhex;
    use sha2::Sha256;

    /// RFC 5869 A.1 and A.3.
    #[test]
    fn hkdf_knows_the_examples() {
        let secret = [0x0b; 22];
        let mut out = [0; 42];
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        hkdf::<Sha256>(&secret, Some(&unhex("000102030405060708090a0b0c")), &info, &mut out);
        assert_eq!(
            out.to_vec(),
            unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        );
        hkdf::<Sha256>(&secret, None, &[], &mut out);
        assert_eq!(
            out.to_vec(),
            unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
        );
    }
}
