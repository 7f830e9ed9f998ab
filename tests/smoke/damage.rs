//! Deterministic damage to real inputs.

/// Pieces that parsers look for.
pub(super) const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b":",
    b";",
    b"\"",
    b"\\",
    b"(",
    b")",
    b"<",
    b">",
    b"@",
    b",",
    b"=?",
    b"?=",
    b"=?utf-8?q?",
    b"=?utf-8?b?",
    b"--",
    b"*0*=",
    b"%",
    b" ",
    b"\t",
    b"[",
    b"]",
    b"{",
    b"}",
    b"~",
    b"*",
    b"\x30\x80",
    b"\x24\x80",
    b"\xa0\x80",
    b"\x00\x00",
    b"\x84\xff\xff\xff\xff",
    b"\x88\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\xa8",
    b"hp=",
    b"hp*0*=",
    b"HP-Outer: ",
    b"Sealpost-Arrived-",
    b"x-sealpost-arrived-",
    b"Sealpost-Marker: v=1\r\n",
    b"Sealpost-Sealed: v=1; eol=lf\n",
    b"Content-Type: ",
    b"multipart/signed; boundary=",
    b"Content-Transfer-Encoding: base64\n",
    b"From ",
    b"From: ",
    b"Subject: ",
    b"-----BEGIN ",
    b"-----END ",
    b"'''",
    b"[[rule]]\n",
    b"when = [",
    b"then = [",
    b"((",
    b"))",
    b"\"\"\"",
    b"\\u'41'",
    b"\\065",
    b"[YQ==]",
    b"#NULL#",
    b"#T22-10-2009",
    b"---",
    b"/*",
];

/// A stream of damage (xorshift64*).
pub(super) struct Damage(u64);

impl Damage {
    pub(super) fn new(seed: u64) -> Damage {
        Damage(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    /// One of the samples with some damage; now and then as it is.
    pub(super) fn apply(&mut self, samples: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = samples[self.below(samples.len())].clone();
        for _ in 0..self.below(6) {
            self.once(&mut bytes, samples);
        }
        bytes
    }

    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let longest = [4, 64, 1024, 100_000][self.below(4)];
        start..bytes.len().min(start + self.below(longest))
    }

    fn once(&mut self, bytes: &mut Vec<u8>, samples: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        match self.below(8) {
            0 | 1 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] = self.below(256) as u8;
            }
            2 => drop(bytes.splice(at..at, WORDS[self.below(WORDS.len())].iter().copied())),
            3 => {
                let times = [2, 20, 500, 5000][self.below(4)];
                let word = WORDS[self.below(WORDS.len())].repeat(times);
                bytes.splice(at..at, word);
            }
            4 => drop(bytes.drain(self.range(bytes))),
            5 => {
                let copy = bytes[self.range(bytes)].to_vec();
                bytes.splice(at..at, copy);
            }
            6 => {
                let other = &samples[self.below(samples.len())];
                let piece = other[self.range(other)].to_vec();
                bytes.splice(at..at, piece);
            }
            7 if self.below(4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
}
