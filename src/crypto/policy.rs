//! What may be written, apart from what can be read.

/// A named choice of algorithms for sealing (spec: "Algorithms: one table, three profiles").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// AES-256-CBC and RSAES-PKCS1-v1_5: every S/MIME client opens it.
    #[default]
    Compatible,
    /// AES-256-GCM and RSAES-OAEP with SHA-256.
    Modern,
}
