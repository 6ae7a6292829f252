//! Records that are known by their texts: what is sent again as it was need not be read to know that nothing changes.

use super::Broken;
use crate::domain::Rules;
use crate::exchange::kinds::Kind;
use crate::records::Digests;
use crate::store::runs::Run;
use crate::store::{Store, StoreError, attributes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use openssl::sha::Sha256;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Bytes of a digest that are kept: nobody finds two texts that have so many in common.
const KEPT: usize = 16;

/// How many records are looked up together, and of how many bytes at most, but for the last of them.
const TOGETHER: usize = 500;
const TOGETHER_BYTES: usize = 4 << 20;

/// What the texts of a kind of records have made.
pub struct Known {
    store: Store,
    digests: Digests,
    key: fn(&str) -> String,
    /// What the same text would say something else without.
    context: Sha256,
    read: Keys,
}

/// What a record that was cut out of a source says of itself.
pub(super) struct Text {
    /// As the type of keys has it; None: nobody can tell yet.
    pub key: Option<String>,
    pub digest: String,
    /// Bytes.
    pub length: usize,
}

/// A record that was cut out of a source, with what is known of it.
pub(super) struct Looked<C> {
    pub cut: C,
    pub key: Option<String>,
    pub digest: Option<String>,
    pub is_known: bool,
}

impl<C> Looked<C> {
    /// Of which nobody wants to know.
    pub fn unknown(cut: C) -> Self {
        Self { cut, key: None, digest: None, is_known: false }
    }
}

/// Records that were cut out and looked up together, and why there are no more.
pub(super) struct Ahead<C> {
    known: Known,
    waiting: VecDeque<Looked<C>>,
    broken: Option<Broken>,
}

impl<C> Ahead<C> {
    pub fn of(known: Known) -> Self {
        Self { known, waiting: VecDeque::new(), broken: None }
    }

    /// The next record, of those that are cut, each with its text if it is one; None at the end.
    pub fn next(
        &mut self,
        mut cut: impl FnMut(&Known) -> Result<Option<(C, Option<Text>)>, Broken>,
    ) -> Result<Option<Looked<C>>, Broken> {
        if self.waiting.is_empty() && self.broken.is_none() {
            let (mut bytes, mut texts) = (0, Vec::new());
            while self.waiting.len() < TOGETHER && bytes < TOGETHER_BYTES {
                match cut(&self.known) {
                    Ok(Some((cut, text))) => {
                        bytes += text.as_ref().map_or(0, |text| text.length);
                        texts.push(text);
                        self.waiting.push_back(Looked::unknown(cut));
                    }
                    Ok(None) => break,
                    Err(broken) => {
                        self.broken = Some(broken);
                        break;
                    }
                }
            }
            let are_known = self.known.are_there(&texts);
            for ((looked, text), is_known) in self.waiting.iter_mut().zip(texts).zip(are_known) {
                looked.is_known = is_known;
                (looked.key, looked.digest) = text.map_or((None, None), |text| (text.key, Some(text.digest)));
            }
        }
        match self.waiting.pop_front() {
            None => self.broken.take().map_or(Ok(None), Err),
            looked => Ok(looked),
        }
    }
}

impl Known {
    /// None: texts of that kind are not remembered.
    pub fn of(store: &Store, kind: &Kind, run: &Run, rules: &Rules) -> Result<Option<Self>, StoreError> {
        let (Some(digests), Some(place)) = (kind.digests, kind.place) else { return Ok(None) };
        let mut context = Sha256::new();
        let attributes = attributes::state(&mut *store.connection()?)?;
        let program = env!("CARGO_PKG_VERSION");
        let of = (kind.of, &run.format, &run.profile_text);
        context.update(format!("{program} {of:?} {:?} {attributes:?}\n", rules.defaults).as_bytes());
        Ok(Some(Self { store: store.clone(), digests, key: place.key, context, read: Keys::none() }))
    }

    /// Adds to what the same text would say something else without.
    pub(super) fn within(mut self, around: &str) -> Self {
        update(&mut self.context, around.as_bytes());
        self
    }

    /// The digest of a record's text, in parts.
    pub(super) fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut hash = self.context.clone();
        parts.into_iter().for_each(|part| update(&mut hash, part));
        let digest = hash.finish();
        STANDARD_NO_PAD.encode(digest.get(..KEPT).unwrap_or(&digest))
    }

    /// Which of these, in their order, are the records that are there. Of a record that was read before in this source, nobody
    /// can tell: what it says is still to be written. None: it is no record.
    fn are_there(&mut self, texts: &[Option<Text>]) -> Vec<bool> {
        let key = |text: &Option<Text>| text.as_ref().and_then(|text| text.key.as_deref()).map(self.key);
        let keys: Vec<Option<String>> = texts.iter().map(key).collect();
        let asked: Vec<String> = keys.iter().flatten().cloned().collect();
        let there = self.store.connection().and_then(|mut db| (self.digests)(&mut db, &asked));
        // They are read then, as if nothing was known; the writer tells if the database is gone.
        let there =
            there.inspect_err(|e| log::warn!("what is known of records cannot be asked: {e}")).unwrap_or_default();
        let is_there = |(text, key): (&Option<Text>, Option<String>)| {
            let Some(text) = text else { return false };
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

/// Adds a part, so that it cannot be taken for the end of the one before.
fn update(hash: &mut Sha256, part: &[u8]) {
    hash.update(&part.len().to_le_bytes());
    hash.update(part);
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
