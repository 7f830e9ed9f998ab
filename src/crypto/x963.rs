//! The key derivation of ANSI X9.63 (SEC 1 3.6.1).

use sha2::Digest;
use zeroize::Zeroize;

/// Fills `out` with hashes over the secret, a counter from 1 on, and the shared info. The digest's own state is wiped by it.
pub(super) fn derive<D: Digest>(secret: &[u8], shared_info: &[u8], out: &mut [u8]) {
    for (counter, block) in (1_u32..).zip(out.chunks_mut(<D as Digest>::output_size())) {
        let hash = D::new().chain_update(secret).chain_update(counter.to_be_bytes());
        let mut hash = hash.chain_update(shared_info).finalize();
        block.iter_mut().zip(&hash).for_each(|(to, from)| *to = *from);
        hash.as_mut_slice().zeroize();
    }
}
