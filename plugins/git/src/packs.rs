//! Packs, wherever they lie: in a spool, as a server sent them, or in a directory of the user's.
//!
//! An object of a pack is whole, or a delta on another one. What is not asked for is not read, and what is put together is kept for a
//! while, since others build on it.

mod bytes;
mod delta;
mod index;
mod inflate;
mod memory;
mod receive;
mod resolve;
mod window;

use std::{
    cell::{Ref, RefCell, RefMut},
    collections::HashMap,
    rc::Rc,
};

use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use gix_pack::data::{Entry, entry::Header};
use sti_plugin::{Blob, Problem};

use self::window::Window;
pub(crate) use self::{
    bytes::Bytes,
    index::Index,
    inflate::Inflater,
    memory::Memory,
    receive::{add, receive},
};
use crate::{
    store::{Large, OBJECT_LIMIT, Object, Opened, Store, Take},
    trouble,
};

/// The length of an identifier.
pub(crate) const HASH: usize = 20;

/// The longest chain of deltas. Git makes none of more than 4,095; what is longer goes in a circle.
const MOST_STEPS: usize = 100_000;

/// Packs that are searched one after the other.
pub(crate) struct Packs {
    all: Vec<Pack>,
    memory: RefCell<Memory>,
    inflater: RefCell<Inflater>,
    /// Objects of the last pack that others of it name, as long as it has no index.
    bases: HashMap<ObjectId, Place>,
}

/// A pack, and where in it each object begins.
pub(crate) struct Pack {
    index: Index,
    window: RefCell<Window>,
}

/// Where an object begins: in which pack, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pack: usize,
    at: u64,
}

impl Pack {
    pub(crate) fn new(bytes: Bytes, index: Index) -> Self {
        Self { index, window: RefCell::new(Window::new(bytes)) }
    }

    /// Reads the start of an object; what follows in the window is its content.
    fn entry(&self, at: u64) -> Result<(Entry, RefMut<'_, Window>), Problem> {
        let mut window = self.window.borrow_mut();
        window.go_to(at);
        let entry = Entry::from_read(&mut *window, at, HASH).map_err(|error| told(&error))?;
        Ok((entry, window))
    }
}

impl Packs {
    pub(crate) fn new(all: Vec<Pack>, memory: Memory) -> Self {
        Self { all, memory: RefCell::new(memory), inflater: RefCell::default(), bases: HashMap::new() }
    }

    /// The packs themselves, as far as the host has them.
    pub(crate) fn blobs(&self) -> Vec<Ref<'_, Blob>> {
        self.all.iter().filter_map(|pack| Ref::filter_map(pack.window.borrow(), Window::blob).ok()).collect()
    }

    /// Tells whether an object is there.
    pub(crate) fn holds(&self, id: &oid) -> bool {
        self.find(id).is_some()
    }

    fn find(&self, id: &oid) -> Option<Place> {
        let found = |(pack, of): (usize, &Pack)| Some(Place { pack, at: of.index.find(id)? });
        self.all.iter().enumerate().find_map(found)
    }

    /// Reads an object: what it builds on first, then each step from there.
    fn read(&self, place: Place) -> Result<Rc<Object>, Problem> {
        let (mut place, mut steps, mut held) = (place, Vec::new(), 0_usize);
        let mut object = loop {
            if let Some(object) = self.memory.borrow_mut().get(place) {
                break object;
            }
            let (header, content) = self.content(place)?;
            held = held.saturating_add(content.len());
            if held > OBJECT_LIMIT || steps.len() > MOST_STEPS {
                return Err(trouble::damaged("an object is put together from too many others"));
            }
            if let Some(kind) = header.as_kind() {
                break self.remember(place, Object { kind, content });
            }
            steps.push((place, content));
            place = self.base(place, header)?;
        };
        while let Some((place, step)) = steps.pop() {
            let content = delta::apply(&object.content, &step, OBJECT_LIMIT)?;
            object = self.remember(place, Object { kind: object.kind, content });
        }
        Ok(object)
    }

    /// Reads what lies at a place: an object, or a delta.
    fn content(&self, place: Place) -> Result<(Header, Vec<u8>), Problem> {
        let (entry, mut window) = self.all[place.pack].entry(place.at)?;
        let content = self.inflater.borrow_mut().whole(&mut *window, Some(entry.decompressed_size))?;
        Ok((entry.header, content))
    }

    /// Tells where an object lies that another one builds on.
    fn base(&self, place: Place, header: Header) -> Result<Place, Problem> {
        let base = match header {
            Header::OfsDelta { base_distance } => {
                Header::verified_base_pack_offset(place.at, base_distance).map(|at| Place { at, ..place })
            }
            Header::RefDelta { base_id } => self.bases.get(&base_id).copied().or_else(|| self.find(&base_id)),
            _ => None,
        };
        base.ok_or_else(nothing_to_build_on)
    }

    fn remember(&self, place: Place, object: Object) -> Rc<Object> {
        let object = Rc::new(object);
        self.memory.borrow_mut().put(place, &object);
        object
    }
}

impl Store for Packs {
    fn open(&self, id: &oid, largest: u64) -> Result<Option<Opened<'_>>, Problem> {
        let Some(place) = self.find(id) else { return Ok(None) };
        if let Some(object) = self.memory.borrow_mut().get(place) {
            return Ok(Some(Opened::Held(object)));
        }
        let (entry, _) = self.all[place.pack].entry(place.at)?;
        match entry.header.as_kind() {
            Some(kind) if entry.decompressed_size > largest => {
                Ok(Some(Opened::Large(Box::new(Waiting { packs: self, place, kind, size: entry.decompressed_size }))))
            }
            _ => Ok(Some(Opened::Held(self.read(place)?))),
        }
    }

    fn starting(&self, prefix: &str) -> Result<Vec<ObjectId>, Problem> {
        Ok(self.all.iter().flat_map(|pack| pack.index.starting(prefix)).collect())
    }
}

/// A large object that is still to be read.
struct Waiting<'p> {
    packs: &'p Packs,
    place: Place,
    kind: Kind,
    size: u64,
}

impl Large for Waiting<'_> {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn pour(self: Box<Self>, take: &mut Take<'_>) -> Result<(), Problem> {
        let (entry, mut window) = self.packs.all[self.place.pack].entry(self.place.at)?;
        self.packs.inflater.borrow_mut().pieces(&mut *window, entry.decompressed_size, take)
    }
}

/// What a failure to read means: the host's own words where it said any.
fn told(error: &std::io::Error) -> Problem {
    let kept = error.get_ref().and_then(|error| error.downcast_ref::<Problem>());
    kept.cloned().unwrap_or_else(|| trouble::corrupt(error))
}

fn nothing_to_build_on() -> Problem {
    trouble::damaged("an object builds on one that is not there")
}
