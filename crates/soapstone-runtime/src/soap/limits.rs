//! How much of everything a message may have.

/// Limits against oversized and malicious messages; all can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request body, after decompression.
    pub body: usize,
    /// How deep elements nest.
    pub depth: u32,
    /// Attributes of one element.
    pub attributes: usize,
    /// Children of one element.
    pub children: u32,
    /// Elements and attributes of a message.
    pub elements: u32,
    /// Bytes of a name.
    pub name: usize,
    /// Bytes of one text.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 << 20,
            depth: 100,
            attributes: 500,
            children: 50_000,
            elements: 1_000_000,
            name: 1024,
            text: 128 << 20,
        }
    }
}
