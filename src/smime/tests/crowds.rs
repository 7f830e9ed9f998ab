//! Nothing is written that our own reader refuses for the number of its recipients.

use super::*;
use crate::cms::MAX_RECIPIENTS;

/// Dana's certificate under so many serial numbers. Their signatures do not hold, and nobody asks for them here.
fn crowd(count: usize) -> Vec<ValidatedCertificate> {
    let certificate = &dana().certificate;
    let serial = certificate.serial_octets();
    let place = certificate.der().windows(serial.len()).position(|octets| octets == serial).unwrap();
    let forged = |number: usize| {
        let mut der = certificate.der().to_vec();
        let octets = u32::try_from(number).unwrap().to_be_bytes();
        der[place + serial.len() - 4..place + serial.len()].copy_from_slice(&octets);
        validated(&Certificate::from_der(&der).unwrap())
    };
    (0..count).map(forged).collect()
}

#[test]
fn more_recipients_than_anybody_reads_are_refused_before_anything_is_made() {
    let message = b"Subject: x\r\n\r\nhello\r\n";
    let mut crowd = crowd(MAX_RECIPIENTS + 1);
    let text = "the message has 10001 recipients; a sealed message has at most 10000";
    let refused = seal_many(vec![job(message, &crowd, Profile::Compatible, 1)]).remove(0).err().unwrap();
    assert_eq!(refused.to_string(), text);
    let sealed = seal_for_alice(message, Profile::Compatible);
    let rekeyed = rekey(owned(sealed.bytes()), &[alice().opening()], &crowd, Naming::Certificate, seed(9));
    assert!(matches!(
        rekeyed.err().unwrap(),
        RekeyError::Seal(SealError::TooManyRecipients { count: 10_001, limit: MAX_RECIPIENTS })
    ));
    // A certificate that is named twice counts once.
    crowd.truncate(3);
    let doubled: Vec<_> = crowd.iter().cycle().take(MAX_RECIPIENTS + 1).cloned().collect();
    let sealed = seal_for(message, &doubled, Profile::Compatible);
    assert_eq!(sealed.facts().recipients.len(), 3);
    let key = OpeningKey { key: &dana().key, certificate: Some(crowd[2].certificate()) };
    assert_eq!(open(sealed.bytes(), &[key]).unwrap().message.expose(), message);
}
