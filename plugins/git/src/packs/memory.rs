//! Objects that are kept in memory: the first ones as long as there is room, and those that were used last.

use std::{collections::HashMap, rc::Rc};

use super::Place;
use crate::store::Object;

/// How much of what was used last is kept, for what builds on it. The last object is kept whatever its size.
const RECENT: usize = 16 << 20;

/// What an entry takes beside its content.
const OVERHEAD: usize = 100;

/// Objects by their place.
#[derive(Default)]
pub(crate) struct Memory {
    kept: HashMap<Place, Rc<Object>>,
    /// How much more is kept for good.
    room: usize,
    /// What was used since the last turn, and how much that is.
    young: HashMap<Place, Rc<Object>>,
    bytes: usize,
    /// What was used in the turn before.
    old: HashMap<Place, Rc<Object>>,
}

impl Memory {
    /// Keeps the first objects for good, up to so many bytes.
    pub(crate) fn keeping(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    pub(super) fn get(&mut self, place: Place) -> Option<Rc<Object>> {
        if let Some(object) = self.kept.get(&place).or_else(|| self.young.get(&place)) {
            return Some(Rc::clone(object));
        }
        let object = self.old.remove(&place)?;
        self.put_young(place, &object);
        Some(object)
    }

    pub(super) fn put(&mut self, place: Place, object: &Rc<Object>) {
        match self.room.checked_sub(object.content.len() + OVERHEAD) {
            Some(room) => {
                self.room = room;
                self.kept.insert(place, Rc::clone(object));
            }
            None => self.put_young(place, object),
        }
    }

    fn put_young(&mut self, place: Place, object: &Rc<Object>) {
        let bytes = object.content.len() + OVERHEAD;
        if self.bytes + bytes > RECENT / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        if bytes > RECENT / 2 {
            self.old.clear();
        }
        self.bytes += bytes;
        self.young.insert(place, Rc::clone(object));
    }
}

#[cfg(test)]
mod tests {
    use gix_object::Kind;

    use super::*;

    fn place(at: u64) -> Place {
        Place { pack: 0, at }
    }

    fn object(size: usize) -> Rc<Object> {
        Rc::new(Object { kind: Kind::Blob, content: vec![0; size] })
    }

    #[test]
    fn keeps_the_first_for_good_and_of_the_others_the_last() {
        let mut memory = Memory::keeping(1000);
        (0..100).for_each(|at| memory.put(place(at), &object(if at < 4 { 100 } else { 1 << 20 })));
        assert!((0..4).all(|at| memory.get(place(at)).is_some()));
        assert!(memory.get(place(4)).is_none() && memory.get(place(99)).is_some());
        let held = memory.young.values().chain(memory.old.values()).map(|object| object.content.len()).sum::<usize>();
        assert!(held <= RECENT, "{held}");
    }

    #[test]
    fn keeps_what_is_used_again_and_the_last_whatever_its_size() {
        let mut memory = Memory::default();
        memory.put(place(0), &object(1 << 20));
        for at in 1..100 {
            memory.put(place(at), &object(1 << 20));
            assert!(memory.get(place(0)).is_some(), "{at}");
        }
        memory.put(place(100), &object(RECENT * 2));
        assert!(memory.get(place(100)).is_some());
    }
}
