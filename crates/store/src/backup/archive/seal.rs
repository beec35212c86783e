//! Encryption: a key of the passphrase by Argon2id with a salt of the archive's own, and AES-256-GCM
//! for each frame. The key is used for one archive, so a frame's number is its nonce.
use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};

use super::{ArchiveError, Encryption, frame::HEAD};

const CIPHER: &str = "aes-256-gcm";
const KDF: &str = "argon2id";
const SALT: usize = 16;
const KEY: usize = 32;
/// What a header may ask of the reader at most.
const MEMORY_MAX_KIB: u32 = 1 << 20;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// A passphrase. Is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// `None` for an empty one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// How much work a guess at the passphrase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Rounds over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// RFC 9106, section 4, the second recommendation: 64 MiB, three passes, four lanes.
    fn default() -> Self {
        Self {
            memory_kib: 64 << 10,
            passes: 3,
            lanes: 4,
        }
    }
}

impl Encryption {
    /// With a fresh salt.
    pub(super) fn fresh(cost: Cost) -> Result<Self, ArchiveError> {
        let mut salt = [0; SALT];
        rand::fill(&mut salt).map_err(|_| unwritable("the system gives no random numbers"))?;
        Ok(Self {
            cipher: CIPHER.to_owned(),
            kdf: KDF.to_owned(),
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
            salt: hex(&salt),
        })
    }
}

/// Seals and opens the frames of one archive.
pub(super) struct Seal {
    key: LessSafeKey,
    /// The hash of the file's head: it cannot be exchanged.
    head: [u8; 32],
}

impl Seal {
    /// The key for an archive whose head has the hash `head`; the problem when that head asks for
    /// what is not known.
    pub(super) fn new(
        encryption: &Encryption,
        passphrase: &Passphrase,
        head: [u8; 32],
    ) -> Result<Self, String> {
        let known = encryption.cipher == CIPHER && encryption.kdf == KDF;
        let bounded = encryption.memory_kib <= MEMORY_MAX_KIB
            && encryption.passes <= PASSES_MAX
            && encryption.lanes <= LANES_MAX;
        if !known || !bounded {
            return Err("it asks for an encryption that this program does not know".to_owned());
        }
        let salt = unhex(&encryption.salt).ok_or("its salt is not in hex")?;
        let wrong = |error: argon2::Error| format!("its key cannot be made: {error}");
        let (memory, passes, lanes) = (encryption.memory_kib, encryption.passes, encryption.lanes);
        let params = Params::new(memory, passes, lanes, Some(KEY)).map_err(wrong)?;
        let mut key = [0; KEY];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.0.as_bytes(), &salt, &mut key)
            .map_err(wrong)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| "its key cannot be made")?;
        Ok(Self {
            key: LessSafeKey::new(key),
            head,
        })
    }

    /// How much longer a sealed payload is.
    pub(super) fn overhead() -> usize {
        AES_256_GCM.tag_len()
    }

    pub(super) fn seal(
        &self,
        number: u32,
        head: &[u8; HEAD],
        payload: &mut Vec<u8>,
    ) -> Result<(), ArchiveError> {
        self.key
            .seal_in_place_append_tag(nonce(number), self.bound(head), payload)
            .map_err(|_| unwritable("a chunk cannot be encrypted"))
    }

    /// False when the passphrase is another one, or somebody changed the archive and its checksums.
    pub(super) fn open(&self, number: u32, head: &[u8; HEAD], payload: &mut Vec<u8>) -> bool {
        let opened = self
            .key
            .open_in_place(nonce(number), self.bound(head), payload)
            .map(|plain| plain.len());
        opened.map(|length| payload.truncate(length)).is_ok()
    }

    fn bound(&self, head: &[u8; HEAD]) -> Aad<Vec<u8>> {
        Aad::from([&self.head[..], head].concat())
    }
}

fn nonce(number: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn unwritable(message: &str) -> ArchiveError {
    ArchiveError::Unwritable(message.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}
