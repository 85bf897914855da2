//! The keys that sign passes: a current one, and those that are still accepted.

use data_encoding::HEXLOWER_PERMISSIVE;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{KEY_ID_BYTES, SIGNATURE_BYTES};

/// Keys in use at a time, at most.
const MAX_KEYS: usize = 8;

/// Secret keys; the first one signs, all are accepted.
pub struct Keys(Vec<Key>);

/// Public keys that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicKeys(Vec<PublicKey>);

/// Why a text holds no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// There is none.
    Missing,
    /// One is not 64 hexadecimal digits, or there are more than 8.
    Malformed,
    /// Two have the same id, as the same key given twice has.
    SameId,
}

pub(super) struct Key {
    secret: SigningKey,
    public: PublicKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    id: [u8; KEY_ID_BYTES],
    key: VerifyingKey,
}

impl Keys {
    /// Reads secret keys (32 random bytes each, as 64 hexadecimal digits) that are separated
    /// by blanks or commas, the current one first. To rotate, put a new one in front, and
    /// take the old one away when no pass that it signed is valid any more.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let texts: Vec<&str> = text
            .split(|separator: char| separator.is_whitespace() || separator == ',')
            .filter(|text| !text.is_empty())
            .collect();
        if texts.is_empty() {
            return Err(KeyError::Missing);
        }
        let keys: Option<Vec<Key>> = texts.iter().map(|text| Key::parse(text)).collect();
        let keys = keys
            .filter(|keys| keys.len() <= MAX_KEYS)
            .ok_or(KeyError::Malformed)?;
        let keys = Self(keys);
        keys.public().checked()?;
        Ok(keys)
    }

    /// What tills need in order to verify.
    pub fn public(&self) -> PublicKeys {
        PublicKeys(self.0.iter().map(|key| key.public.clone()).collect())
    }

    pub(super) fn current(&self) -> &Key {
        // `parse` makes no empty list.
        &self.0[0]
    }
}

impl PublicKeys {
    /// From the keys' 32 bytes, as a till has them from the published set.
    pub fn from_bytes(keys: impl IntoIterator<Item = [u8; 32]>) -> Result<Self, KeyError> {
        let keys = keys.into_iter().map(|bytes| {
            let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Malformed)?;
            Ok(PublicKey::new(key))
        });
        let keys = Self(keys.collect::<Result<_, _>>()?);
        keys.checked()?;
        Ok(keys)
    }

    /// Id (8 hexadecimal digits) and the 32 bytes of each key, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = (String, [u8; 32])> + '_ {
        self.0
            .iter()
            .map(|key| (HEXLOWER_PERMISSIVE.encode(&key.id), key.key.to_bytes()))
    }

    pub(super) fn by_id(&self, id: &[u8]) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.id == id)
    }

    fn checked(&self) -> Result<(), KeyError> {
        let twice = |(index, key): (usize, &PublicKey)| {
            self.0[..index].iter().any(|other| other.id == key.id)
        };
        match self.0.iter().enumerate().any(twice) {
            true => Err(KeyError::SameId),
            false => Ok(()),
        }
    }
}

impl Key {
    pub(super) fn id(&self) -> [u8; KEY_ID_BYTES] {
        self.public.id
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.secret.sign(message).to_bytes()
    }

    fn parse(text: &str) -> Option<Self> {
        let seed = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        let secret = SigningKey::from_bytes(&seed.try_into().ok()?);
        Some(Self {
            public: PublicKey::new(secret.verifying_key()),
            secret,
        })
    }
}

impl PublicKey {
    fn new(key: VerifyingKey) -> Self {
        let digest = Sha256::digest(key.as_bytes());
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Self { id, key }
    }

    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}
