//! Records that are known by their texts: what is sent again as it was need not be read to know that nothing changes.

use crate::domain::Rules;
use crate::exchange::kinds::Kind;
use crate::records::Digests;
use crate::store::{Store, StoreError, attributes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use openssl::sha::Sha256;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Bytes of a digest that are kept: nobody finds two texts that have so many in common.
const KEPT: usize = 16;

/// What the texts of a kind of records have made.
pub struct Known {
    store: Store,
    digests: Digests,
    key: fn(&str) -> String,
    /// What the same text would say something else without.
    context: Sha256,
    read: Keys,
}

/// A record that is about to be read.
pub(super) struct Text {
    /// As the record has it; None: nobody can tell yet.
    pub key: Option<String>,
    pub digest: String,
}

impl Known {
    /// None: texts of that kind are not remembered.
    pub fn of(store: &Store, kind: &Kind, rules: &Rules) -> Result<Option<Self>, StoreError> {
        let (Some(digests), Some(place)) = (kind.digests, kind.place) else { return Ok(None) };
        let mut context = Sha256::new();
        let attributes = attributes::state(&mut *store.connection()?)?;
        let program = env!("CARGO_PKG_VERSION");
        context.update(format!("{program} {:?} {:?} {attributes:?}\n", kind.of, rules.defaults).as_bytes());
        Ok(Some(Self { store: store.clone(), digests, key: place.key, context, read: Keys::none() }))
    }

    /// The digest of a record's text; the tag of its root declares namespaces.
    pub(super) fn digest(&self, root: &str, text: &str) -> String {
        let mut hash = self.context.clone();
        hash.update(root.as_bytes());
        hash.update(text.as_bytes());
        let digest = hash.finish();
        STANDARD_NO_PAD.encode(digest.get(..KEPT).unwrap_or(&digest))
    }

    /// Which of these, in their order, are the records that are there. Of a record that was read before in this source, nobody
    /// can tell: what it says is still to be written.
    pub(super) fn are_there(&mut self, texts: &[Text]) -> Vec<bool> {
        let keys: Vec<Option<String>> = texts.iter().map(|text| text.key.as_deref().map(self.key)).collect();
        let asked: Vec<String> = keys.iter().flatten().cloned().collect();
        let there = self.store.connection().and_then(|mut db| (self.digests)(&mut db, &asked));
        // They are read then, as if nothing was known; the writer tells if the database is gone.
        let there =
            there.inspect_err(|e| log::warn!("what is known of records cannot be asked: {e}")).unwrap_or_default();
        let is_there = |(text, key): (&Text, Option<String>)| {
            let Some(key) = key else {
                self.read.all();
                return false;
            };
            let is_there = !self.read.has(&key) && there.get(&key).is_some_and(|digest| *digest == text.digest);
            if !is_there {
                self.read.put(&key);
            }
            is_there
        };
        texts.iter().zip(keys).map(is_there).collect()
    }
}

/// Keys, in a space that does not grow: one that is said to be there may be another.
struct Keys {
    bits: Vec<u64>,
    are_all: bool,
}

impl Keys {
    /// 4 MB: a key that was not put is said to be there in 3 of 100 cases after a million.
    const BITS: u64 = 1 << 25;

    fn none() -> Self {
        Self { bits: vec![0; usize::try_from(Self::BITS / 64).unwrap_or(0)], are_all: false }
    }

    fn place(key: &str) -> (usize, u64) {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let bit = hasher.finish() % Self::BITS;
        (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
    }

    fn put(&mut self, key: &str) {
        let (word, bit) = Self::place(key);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    /// Any key may be there from now on.
    fn all(&mut self) {
        self.are_all = true;
    }

    fn has(&self, key: &str) -> bool {
        let (word, bit) = Self::place(key);
        self.are_all || self.bits.get(word).is_none_or(|word| word & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_there_once_they_were_put() {
        let mut keys = Keys::none();
        keys.put("a");
        assert!(keys.has("a"));
        assert!(!keys.has("b"));
        keys.all();
        assert!(keys.has("b"));
    }
}
