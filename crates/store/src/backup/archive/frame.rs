//! The frame around a chunk: 20 bytes of head that say what follows, the payload, and the blake3
//! hash of both. The head has a check of its own, so that a damaged length is not believed.
use super::HASH;

/// Bytes of a head.
pub(super) const HEAD: usize = 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Nothing; of an encrypted archive it tells whether the passphrase is right.
    Begin,
    /// Rows of one section.
    Rows,
    /// The trailer.
    End,
}

/// A frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Type,
    pub(super) section: u8,
    /// The frame's number, from 0.
    pub(super) number: u32,
    pub(super) rows: u32,
    /// Bytes of the payload as stored.
    pub(super) length: u32,
}

impl Head {
    pub(super) fn bytes(self) -> [u8; HEAD] {
        let kind = match self.kind {
            Type::Begin => 0,
            Type::Rows => 1,
            Type::End => 2,
        };
        let mut bytes = [0; HEAD];
        bytes[0] = kind;
        bytes[1] = self.section;
        bytes[4..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.rows.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.length.to_le_bytes());
        let check = blake3::hash(&bytes[..16]);
        bytes[16..].copy_from_slice(&check.as_bytes()[..4]);
        bytes
    }

    /// None when the check differs or the type is not known.
    pub(super) fn read(bytes: &[u8; HEAD]) -> Option<Self> {
        let number = |at: usize| {
            let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            u32::from_le_bytes(four)
        };
        let kind = match bytes[0] {
            0 => Type::Begin,
            1 => Type::Rows,
            2 => Type::End,
            _ => return None,
        };
        let head = Self {
            kind,
            section: bytes[1],
            number: number(4),
            rows: number(8),
            length: number(12),
        };
        (head.bytes() == *bytes).then_some(head)
    }
}

/// The hash behind a payload.
pub(super) fn hash(head: &[u8; HEAD], payload: &[u8]) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize().into()
}
