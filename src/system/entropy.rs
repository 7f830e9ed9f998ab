//! The kernel's random number generator.

use crate::crypto::{Entropy, EntropyError, Seed};
use rand::TryRng;
use rand::rngs::SysRng;

/// Seeds from the operating system, a fresh one at every call.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn seed(&self) -> Result<Seed, EntropyError> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| EntropyError(error.to_string()))?;
        Ok(Seed::from_bytes(&mut bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn every_seed_is_another() {
        let word = || SystemEntropy.seed().unwrap().into_rng().next_u64();
        assert_ne!(word(), word());
    }

    /// There is no state in this process that threads could share or a fork could copy: each seed is the kernel's.
    #[test]
    fn threads_share_no_seed() {
        let draw =
            || (0..500).map(|_| SystemEntropy.seed().unwrap().into_rng().next_u64()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(draw)).collect();
        let words: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(words.iter().collect::<std::collections::HashSet<_>>().len(), words.len());
    }
}
