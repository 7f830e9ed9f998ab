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
}
