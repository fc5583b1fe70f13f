//! A repository made of decisions, and the pack that a server sends of it.

use gix_hash::ObjectId;
use gix_object::Kind;

use crate::{
    deck::Deck,
    packs::{self, Entry},
};

/// Modes of a tree's entries. What a byte finds behind the last of them is any number.
const MODES: &[&str] = &["100644", "100755", "120000", "40000", "160000"];

/// Names of a tree's entries. What a byte finds behind the last of them is text of its own.
const NAMES: &[&str] =
    &["a", "b", "dir", "link", ".gitmodules", ".gitattributes", ".git", ".GIT", "git~1", "..", ".g\u{200c}it", "a/b"];

/// The most objects of one repository.
const MOST_OBJECTS: usize = 48;

/// What there is in a repository.
#[derive(Default)]
pub(crate) struct Repository {
    entries: Vec<Entry>,
    /// What each entry is in the end: of a delta that nobody can follow, what it builds on.
    objects: Vec<(Kind, Vec<u8>)>,
}

impl Repository {
    /// Draws objects while there are bytes, and a commit of the last tree.
    pub(crate) fn draw(deck: &mut Deck<'_>) -> (Self, ObjectId) {
        let mut repository = Self::default();
        while !deck.is_over() && repository.entries.len() < MOST_OBJECTS {
            repository.draw_object(deck);
        }
        let tree = repository.objects.iter().rev().find(|(kind, _)| *kind == Kind::Tree);
        let tree = tree.map_or_else(|| packs::id(Kind::Tree, b""), |(kind, content)| packs::id(*kind, content));
        let (commit, id) = packs::commit(tree);
        repository.whole(Kind::Commit, commit);
        (repository, id)
    }

    /// The pack, with the sum that it should have.
    pub(crate) fn pack(&self) -> Vec<u8> {
        packs::pack(&self.entries)
    }

    fn draw_object(&mut self, deck: &mut Deck<'_>) {
        match deck.byte() % 10 {
            0 | 1 => self.whole(Kind::Blob, deck.many().to_vec()),
            2 | 3 => {
                let count = deck.byte() % 16;
                let tree = (0..count).flat_map(|_| self.draw_entry(deck)).collect();
                self.whole(Kind::Tree, tree);
            }
            4 => self.whole(Kind::Tree, deck.many().to_vec()),
            5 => {
                let commit = match deck.place(self.objects.len()) {
                    Some(of) => packs::commit(self.id(of)).0,
                    None => deck.many().to_vec(),
                };
                self.whole(Kind::Commit, commit);
            }
            6 => self.appending(deck),
            7 => {
                let (base, delta) = (deck.place(self.objects.len()), deck.many().to_vec());
                self.delta(base, delta, Vec::new(), deck.byte());
            }
            8 => {
                let (kind, size, content) = (deck.byte() % 8, deck.long() >> (deck.byte() % 64), deck.many().to_vec());
                self.entries.push(Entry::Lying(kind, size, content.clone()));
                self.objects.push((Kind::Blob, content));
            }
            _ => {
                // Zeros that take little room.
                let size = usize::from(deck.byte() % 16) << 14;
                self.whole(Kind::Blob, vec![0; size]);
            }
        }
    }

    fn draw_entry(&self, deck: &mut Deck<'_>) -> Vec<u8> {
        let mode = deck.byte();
        let mode = MODES.get(usize::from(mode)).map_or_else(|| format!("{:o}", deck.short()), |mode| (*mode).to_owned());
        let name = usize::from(deck.byte());
        let name = NAMES.get(name).map_or_else(|| deck.bytes(), |name| name.as_bytes());
        let id = deck.place(self.objects.len()).map_or_else(|| packs::id(Kind::Blob, b"nowhere"), |of| self.id(of));
        [mode.as_bytes(), b" ", name, b"\0", id.as_slice()].concat()
    }

    /// A delta that adds something to what it builds on.
    fn appending(&mut self, deck: &mut Deck<'_>) {
        let base = deck.place(self.objects.len());
        let more = deck.bytes();
        let more = &more[..more.len().min(127)];
        let content = base.map(|base| self.objects[base].1.clone()).unwrap_or_default();
        self.delta(base, packs::appending(content.len() as u64, more), more.to_vec(), deck.byte());
    }

    fn delta(&mut self, base: Option<usize>, delta: Vec<u8>, more: Vec<u8>, form: u8) {
        let (kind, mut content) = base.map_or((Kind::Blob, Vec::new()), |base| self.objects[base].clone());
        content.extend(more);
        self.entries.push(match base {
            Some(base) if form & 1 == 0 => Entry::Delta(base, delta),
            Some(base) => Entry::ByName(self.id(base), delta),
            None => Entry::ByName(packs::id(Kind::Blob, b"nowhere"), delta),
        });
        self.objects.push((kind, content));
    }

    fn whole(&mut self, kind: Kind, content: Vec<u8>) {
        let number = match kind {
            Kind::Commit => 1,
            Kind::Tree => 2,
            Kind::Blob => 3,
            Kind::Tag => 4,
        };
        self.entries.push(Entry::Whole(number, content.clone()));
        self.objects.push((kind, content));
    }

    fn id(&self, of: usize) -> ObjectId {
        let (kind, content) = &self.objects[of];
        packs::id(*kind, content)
    }
}
