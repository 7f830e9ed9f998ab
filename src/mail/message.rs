//! A message as a view over its bytes.

/// Header fields by offset, in their order and spelling, and the body. The header ends at the first line that is
/// neither a field nor a continuation. Making one never fails.
#[derive(Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    fields: Vec<Field<'a>>,
    body: &'a [u8],
}

/// One header field.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    name: &'a str,
    value: &'a [u8],
}

/// One mailbox of an address field, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name after RFC 2047, if there is one.
    pub name: Option<String>,
    /// The addr-spec as written.
    pub address: String,
}

impl<'a> Message<'a> {
    /// A view over the bytes.
    pub fn new(bytes: &'a [u8]) -> Message<'a> {
        todo!("{bytes:?}")
    }
    /// All of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
    /// The fields in their order.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }
    /// The fields of that name (ASCII case folded), in their order.
    pub fn fields_named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Field<'a>> + 's {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }
    /// What follows the empty line after the header; if the header was cut off by a line that is no field, from that line on.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl<'a> Field<'a> {
    /// The field with its folds and its line end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }
    /// Its name as spelled.
    pub fn name(&self) -> &'a str {
        self.name
    }
    /// What stands after the colon, with folds, without the last line end.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }
    /// Unfolded, RFC 2047 decoded, trimmed.
    pub fn text(&self) -> String {
        todo!()
    }
    /// The mailboxes of an address field, groups flattened.
    pub fn mailboxes(&self) -> Vec<Mailbox> {
        todo!()
    }
}
