//! Keys of rows, made by the client: UUIDv7 (RFC 9562 5.7), so that they sort by the time of their making.

use super::AdminError;
use crate::engine::DirectoryError;
use rand::TryRng;
use rand::rngs::SysRng;
use time::OffsetDateTime;

/// A fresh UUIDv7. The 12 bits after the milliseconds hold fractions of one (RFC 9562 6.2, method 3).
pub(super) fn fresh() -> Result<String, AdminError> {
    let mut random = [0; 8];
    SysRng.try_fill_bytes(&mut random).map_err(|error| DirectoryError::Failed(error.to_string()))?;
    Ok(layout(OffsetDateTime::now_utc().unix_timestamp_nanos(), u64::from_be_bytes(random)))
}

fn layout(nanoseconds: i128, random: u64) -> String {
    let milliseconds = nanoseconds / 1_000_000;
    let fraction = (nanoseconds % 1_000_000) * 4096 / 1_000_000;
    let variant = 0x8000 | (random >> 48 & 0x3fff);
    let node = random & 0xffff_ffff_ffff;
    format!(
        "{:08x}-{:04x}-7{fraction:03x}-{variant:04x}-{node:012x}",
        milliseconds >> 16 & 0xffff_ffff,
        milliseconds & 0xffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 9562 A.6: 2022-02-22 19:22:22 UTC, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
        let made = layout(0x017F_22E2_79B0 * 1_000_000 + 0xCC3 * 1_000_000 / 4096 + 1, 0x18C4_DC0C_0C07_398F);
        assert_eq!(made, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<String> = (0..200)
            .map(|_| {
                std::thread::sleep(std::time::Duration::from_micros(1));
                fresh().unwrap()
            })
            .collect();
        assert!(ids.is_sorted());
    }
}
