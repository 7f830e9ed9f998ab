//! Pictures outside of rules: what a person says of a field is held against it as a condition does.

use super::header::{Header, Part};
use super::picture::{Picture, PictureError};
use crate::mail::{HeaderEdits, Message};

/// A picture of a field: text with `*` for any characters, compared without case; `\` before `*`, `,`, `#` or `\` makes them
/// themselves.
#[derive(Debug, Clone)]
pub struct HeaderPicture {
    parts: &'static [Part],
    picture: Picture,
}

impl HeaderPicture {
    /// Of the author, as the conditions `From` and `'From' Name` see him: an address or a display name, decoded.
    pub fn from(text: &str) -> Result<HeaderPicture, PictureError> {
        Ok(HeaderPicture { parts: &[Part::From, Part::FromName], picture: Picture::compile(text)? })
    }

    /// Of the Subject, as the condition of that name sees it: unfolded and decoded.
    pub fn subject(text: &str) -> Result<HeaderPicture, PictureError> {
        Ok(HeaderPicture { parts: &[Part::Subject], picture: Picture::compile(text)? })
    }

    /// Does one value of the field match? Without the field none does.
    pub fn matches(&self, message: &Message<'_>) -> bool {
        let header = Header::new(message, HeaderEdits::default());
        let mut values = self.parts.iter().flat_map(|part| header.part(*part));
        values.any(|value| self.picture.matches(&value.folded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] =
        b"From: =?utf-8?Q?J=C3=BCrgen?= <jd@North.example>\nSubject: =?utf-8?Q?Geh=C3=A4lter?=\n im Mai\n\n";

    #[test]
    fn fields_are_held_against_pictures_as_conditions_do_it() {
        let message = Message::new(MAIL);
        let from = |text| HeaderPicture::from(text).unwrap().matches(&message);
        let subject = |text| HeaderPicture::subject(text).unwrap().matches(&message);
        assert!(from("JD@north.example") && from("*@north.example") && from("JÜRGEN"));
        assert!(!from("jd") && !from("*@east.example") && !from("jürgen <*"));
        assert!(subject("GEHÄLTER im *") && !subject("gehälter") && subject("*"));
        assert!(!HeaderPicture::subject("*").unwrap().matches(&Message::new(b"From: x@y.example\n\n")));
        let error = HeaderPicture::from(r"a\b").unwrap_err().to_string();
        assert_eq!(error, r"a backslash stands before `*`, `,`, `#` or `\` only");
    }
}
