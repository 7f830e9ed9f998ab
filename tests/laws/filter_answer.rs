//! What filters answer.

use sealpost::helper::protocol::{
    AnswerReader, GreetingReader, LONGEST_LINE, MOST_ANSWER, MOST_HEADERS, Reply,
};
use sealpost::mail::HeaderLine;
use sealpost::rules::Answer;

/// The input is what a filter wrote to question 2:
///
/// - It is an answer, a fault or not yet an answer, and the same in one piece or in many.
/// - What was taken off the front is whole lines, and what follows the answer is left.
/// - A reason for the peer is one line without control characters; added fields are what a rule may add, and few.
/// - A fault says nothing of what was read.
pub(crate) fn hold(input: &[u8]) {
    let mut buffer = input.to_vec();
    let whole = AnswerReader::new(2).take(&mut buffer);
    assert!(input.ends_with(&buffer), "taken off the front");
    let taken = &input[..input.len() - buffer.len()];
    assert!(taken.is_empty() || taken.ends_with(b"\n"), "whole lines");
    match &whole {
        Err(fault) => assert!(fault.to_string().is_ascii() && fault.to_string().len() < 200),
        Ok(None) => assert!(!buffer.contains(&b'\n') && buffer.len() <= LONGEST_LINE),
        Ok(Some(reply)) => {
            assert!(taken.len() <= MOST_ANSWER);
            assert_plain(reply);
        }
    }
    for piece in [1, 7, 64] {
        let (mut reader, mut buffer, mut read) = (AnswerReader::new(2), Vec::new(), Ok(None));
        for piece in input.chunks(piece) {
            buffer.extend_from_slice(piece);
            read = reader.take(&mut buffer);
            if read != Ok(None) {
                break;
            }
        }
        assert_eq!(read, whole, "in pieces of {piece}");
    }
    let _ = GreetingReader::default().take(&mut input.to_vec());
}

fn assert_plain(reply: &Reply) {
    match reply {
        Reply::Answer(Answer::Reject(text)) => {
            assert!(!text.is_empty() && text.len() <= 480 && !text.chars().any(char::is_control), "{text:?}");
        }
        Reply::Answer(Answer::AddHeader(lines)) => {
            assert!((1..=MOST_HEADERS).contains(&lines.len()));
            for line in lines {
                assert!(HeaderLine::parse(line).is_ok(), "{line:?}");
            }
        }
        Reply::Answer(Answer::Accept | Answer::Discard) | Reply::Failure(_) => {}
    }
}

/// Answers, each with what is special about it.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    [
        ("ok", "2 OK\n".to_owned()),
        ("remark", "* thinking\r\n*\r\n2 OK\r\n".to_owned()),
        ("fields", "2 ADDHEADER X-Spam-Score: 7.5\n2 ADDHEADER X-Spam:\tyes\n2 OK\n3 OK\n".to_owned()),
        ("rejected", "2 REJECTED 550 5.7.1 4.2.2 No spam, please. größe\n".to_owned()),
        ("failure", "2 FAILURE no disk\n".to_owned()),
        ("discard", "2 DISCARD\n".to_owned()),
        ("greeting", "* v3\n1 INTF 1\n".to_owned()),
        ("unfinished", "2 ADDHEADER X-Spam: yes\n2 O".to_owned()),
        ("wrong", "Traceback (most recent call last):\n".to_owned()),
    ]
    .map(|(name, text)| (name.to_owned(), text.into_bytes()))
    .into()
}
