//! Base64 in lines (RFC 2045 6.8, RFC 7468 2): whole lines by a kernel where the processor has one, everything else by the crate
//! `encodify`, which is the reference and knows AVX2 and SSSE3 itself.
//!
//! Measured on a Zen 5 over 75 KiB, which become 105: encodify 3.8 µs, the kernel 1.0.
//!
//! What is encoded is a ciphertext, and public.

mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vbmi;

use encodify::base64::{Base64, LineEnding, STANDARD};

/// What is in the lines of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// That become a line.
    octets: usize,
    letters: usize,
    ending: LineEnding,
}

impl Shape {
    /// Octets of a line with its end.
    fn width(self) -> usize {
        self.letters + self.ending_len()
    }

    fn ending_len(self) -> usize {
        match self.ending {
            LineEnding::Lf => 1,
            LineEnding::CrLf => 2,
        }
    }
}

/// Writes base64 in lines that end alike, also the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineEncoder {
    shape: Shape,
    engine: Base64,
    backend: Backend,
}

/// What does the work.
#[derive(Debug, Clone, Copy)]
enum Backend {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Vbmi(vbmi::Kernel),
}

impl Backend {
    /// The fastest that this processor has for such lines.
    fn best(shape: Shape) -> Backend {
        #[cfg(target_arch = "x86_64")]
        if let Some(kernel) = vbmi::Kernel::detect(shape) {
            return Backend::Vbmi(kernel);
        }
        let _ = shape;
        Backend::Portable
    }
}

impl LineEncoder {
    /// So many letters a line: a multiple of 4.
    pub(crate) fn new(columns: usize, ending: LineEnding) -> LineEncoder {
        let shape = Shape { octets: columns / 4 * 3, letters: columns, ending };
        LineEncoder { shape, engine: STANDARD.wrapped(columns, ending), backend: Backend::best(shape) }
    }

    #[cfg(test)]
    fn portable(self) -> LineEncoder {
        LineEncoder { backend: Backend::Portable, ..self }
    }

    /// How long the text of so many octets is.
    pub(crate) const fn encoded_len(&self, octets: usize) -> usize {
        self.engine.encoded_len(octets)
    }

    /// Appends the text of these octets.
    pub(crate) fn encode_append(&self, octets: &[u8], out: &mut Vec<u8>) {
        let rest = match self.backend {
            Backend::Portable => octets,
            #[cfg(target_arch = "x86_64")]
            Backend::Vbmi(kernel) => {
                out.reserve(self.encoded_len(octets.len()));
                kernel.append(octets, out)
            }
        };
        self.engine.encode_append(rest, out);
    }

    /// Turns what stands behind the first `start` octets into its text, where it is: from the end to the begin, so that
    /// nothing is written over before it was read.
    pub(crate) fn encode_in_place(&self, out: &mut Vec<u8>, start: usize) {
        let Some(octets) = out.len().checked_sub(start) else { return };
        match self.backend {
            Backend::Portable => portable::encode_in_place(self, out, octets),
            #[cfg(target_arch = "x86_64")]
            Backend::Vbmi(kernel) => {
                let rest = out.split_off(out.len() - octets % self.shape.octets);
                out.reserve(self.encoded_len(octets) + rest.len() - octets);
                kernel.encode_in_place(out, start);
                self.engine.encode_append(&rest, out);
            }
        }
    }
}
