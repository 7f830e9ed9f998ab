//! Identifier octets (X.690 8.1.2) of what CMS is made of.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A primitive element with a context tag.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// A constructed element with a context tag.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}
