//! The names of objects that are deltas: each is made once, after what it builds on.

use std::collections::HashMap;

use gix_hash::ObjectId;
use sti_plugin::{Problem, log};

use super::{
    Packs, Place, delta,
    index::Known,
    nothing_to_build_on,
    receive::{Arrived, Base, Delta},
};
use crate::store::{self, OBJECT_LIMIT, Object};

/// How often it is told how far the work has come.
const TELL_EVERY: usize = 1000;

/// Makes and names every object of a pack that is a delta, and answers with all of them in the order of their identifiers.
pub(super) fn name_all(packs: &mut Packs, pack: usize, arrived: Arrived) -> Result<Vec<Known>, Problem> {
    let (children, waiting) = families(&arrived)?;
    let total = arrived.deltas.len();
    let mut naming = Naming { packs, pack, arrived, children, waiting, ready: Vec::new(), named: 0 };
    naming.begin_elsewhere();
    naming.make_ready()?;
    for number in 0..naming.arrived.known.len() {
        if naming.arrived.deltas.binary_search_by_key(&number, |delta| delta.number).is_err() {
            naming.announce(number);
            naming.make_ready()?;
        }
    }
    if naming.named < total {
        return Err(nothing_to_build_on());
    }
    naming.packs.bases.clear();
    let mut known = naming.arrived.known;
    known.sort_unstable_by_key(|known| known.id);
    Ok(known)
}

/// Deltas by the number of what they build on, in order; and those that build on a name.
type Families = (Vec<(usize, usize)>, HashMap<ObjectId, Vec<usize>>);

fn families(Arrived { known, deltas, .. }: &Arrived) -> Result<Families, Problem> {
    let (mut children, mut waiting) = (Vec::new(), HashMap::<_, Vec<_>>::new());
    for (delta, Delta { base, .. }) in deltas.iter().enumerate() {
        match base {
            Base::At(at) => {
                let number = known.binary_search_by_key(at, |known| known.at).map_err(|_| nothing_to_build_on())?;
                children.push((number, delta));
            }
            Base::Named(id) => waiting.entry(*id).or_default().push(delta),
        }
    }
    children.sort_unstable();
    Ok((children, waiting))
}

struct Naming<'p> {
    packs: &'p mut Packs,
    /// Which of the packs it is.
    pack: usize,
    arrived: Arrived,
    children: Vec<(usize, usize)>,
    waiting: HashMap<ObjectId, Vec<usize>>,
    /// Deltas whose base is there, and where that is. The last is made first, so that a base is used while it is in memory.
    ready: Vec<(usize, Place)>,
    named: usize,
}

impl Naming<'_> {
    /// Finds what builds on objects of earlier packs.
    fn begin_elsewhere(&mut self) {
        let found: Vec<_> = self.waiting.keys().filter_map(|id| Some((*id, self.packs.find(id)?))).collect();
        for (id, place) in found {
            self.ready.extend(self.waiting.remove(&id).into_iter().flatten().map(|delta| (delta, place)));
        }
    }

    /// Finds what builds on an object that has its name now.
    fn announce(&mut self, number: usize) {
        let Known { id, at } = self.arrived.known[number];
        let place = Place { pack: self.pack, at };
        let start = self.children.partition_point(|(base, _)| *base < number);
        let children = self.children[start..].iter().take_while(|(base, _)| *base == number);
        self.ready.extend(children.map(|(_, delta)| (*delta, place)));
        if let Some(waiting) = self.waiting.remove(&id) {
            self.packs.bases.insert(id, place);
            self.ready.extend(waiting.into_iter().map(|delta| (delta, place)));
        }
    }

    fn make_ready(&mut self) -> Result<(), Problem> {
        while let Some((delta, base)) = self.ready.pop() {
            let number = self.arrived.deltas[delta].number;
            let place = Place { pack: self.pack, at: self.arrived.known[number].at };
            let base = self.packs.read(base)?;
            let step = match self.arrived.contents.remove(&number) {
                Some(step) => step,
                None => self.packs.content(place)?.1,
            };
            let content = delta::apply(&base.content, &step, OBJECT_LIMIT)?;
            self.arrived.known[number].id = store::name(base.kind, &content)?;
            self.packs.remember(place, Object { kind: base.kind, content });
            self.announce(number);
            self.named += 1;
            if self.named.is_multiple_of(TELL_EVERY) {
                log::progress("deltas", self.named as u64, Some(self.arrived.deltas.len() as u64));
            }
        }
        Ok(())
    }
}
