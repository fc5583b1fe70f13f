//! The address of the interface `requests`, and of the interface `blobs` what is read; [`super::spools`] has what is written.

use sti_bindings::{
    handles::{Address, Blob as Handle},
    host::sti::host::{blobs, requests as wit, types},
};
use sti_core::{Blob, Problem, ProblemKind, Variable};
use wasmtime::component::Resource;

use super::{
    Matter, State,
    requests::Said,
    words::{problem_to_wit, value_of},
};
use crate::{Errand, calls::Exceeded, hygiene};

/// The most that is read at once.
const MOST_BYTES: u32 = 1 << 20;
/// How many blobs one call may hold at one time.
const MOST_BLOBS: usize = 1_000;
/// Bytes of a fact.
const FACT: usize = 2_000;

impl State {
    fn errand_of_call(&self) -> Said<&Errand> {
        match &self.matter {
            Matter::Errand(errand, _) => Ok(errand),
            _ => Err(wasmtime::format_err!("this call is about no address")),
        }
    }

    /// Gives out a handle of bytes.
    pub(super) fn hold_blob(&mut self, blob: Blob) -> Said<Resource<Handle>> {
        if self.blobs.len() >= MOST_BLOBS {
            return Err(Exceeded::number("it holds too many documents", MOST_BLOBS).into());
        }
        self.opened += 1;
        self.blobs.insert(self.opened, blob);
        Ok(self.handles.push(Handle(self.opened))?)
    }

    fn blob(&self, blob: &Resource<Handle>) -> Said<Blob> {
        let Handle(number) = *self.handles.get(blob)?;
        self.blobs.get(&number).cloned().ok_or_else(|| wasmtime::format_err!("a handle leads to no blob"))
    }
}

impl wit::HostAddress for State {
    fn text(&mut self, _: Resource<Address>) -> Said<String> {
        Ok(self.errand_of_call()?.text.clone())
    }

    fn reference(&mut self, _: Resource<Address>) -> Said<Option<String>> {
        Ok(self.errand_of_call()?.reference.clone())
    }

    fn subdirectory(&mut self, _: Resource<Address>) -> Said<Option<String>> {
        Ok(self.errand_of_call()?.subdirectory.clone())
    }

    fn setting(&mut self, _: Resource<Address>, name: String) -> Said<Option<String>> {
        Ok(value_of(&self.errand_of_call()?.settings, &name))
    }

    fn file(&mut self, _: Resource<Address>) -> Said<Option<Resource<Handle>>> {
        match self.errand_of_call()?.file.clone() {
            Some(blob) => Ok(Some(self.hold_blob(blob)?)),
            None => Ok(None),
        }
    }

    fn record_fact(&mut self, _: Resource<Address>, name: String, value: String) -> Said<()> {
        self.budget.spend_one(name.len() + value.len())?;
        let Matter::Errand(_, facts) = &mut self.matter else {
            return Err(wasmtime::format_err!("this call is about no address"));
        };
        // What is no name is nobody's to ask for.
        if hygiene::is_kebab(&name) {
            facts.retain(|fact| fact.name != name);
            facts.push(Variable::new(name, hygiene::line(&value, FACT)));
        }
        Ok(())
    }

    fn kept(&mut self, _: Resource<Address>, name: String) -> Said<Option<Resource<Handle>>> {
        let _paused = self.clock.pause();
        match self.keeper.as_ref().filter(|_| hygiene::is_kebab(&name)).and_then(|keeper| keeper.kept(&name)) {
            Some(blob) => Ok(Some(self.hold_blob(blob)?)),
            None => Ok(None),
        }
    }

    fn keep(&mut self, _: Resource<Address>, name: String, bytes: Resource<Handle>) -> Said<()> {
        self.budget.spend_one(name.len())?;
        let blob = self.blob(&bytes)?;
        if let Some(keeper) = self.keeper.as_ref().filter(|_| hygiene::is_kebab(&name)) {
            keeper.keep(&name, &blob);
        }
        Ok(())
    }

    fn drop(&mut self, address: Resource<Address>) -> Said<()> {
        self.handles.delete(address)?;
        Ok(())
    }
}

impl blobs::HostBlob for State {
    fn size(&mut self, blob: Resource<Handle>) -> Said<u64> {
        Ok(self.blob(&blob)?.size())
    }

    fn read(&mut self, blob: Resource<Handle>, offset: u64, length: u32) -> Said<Result<Vec<u8>, types::Problem>> {
        let _paused = self.clock.pause();
        let read = self.blob(&blob)?.read(offset, length.min(MOST_BYTES) as usize);
        let failed =
            |error: std::io::Error| Problem::new(ProblemKind::Unavailable, "unreadable", format!("cannot read on: {error}"));
        Ok(read.map_err(failed).map_err(problem_to_wit))
    }

    fn identity(&mut self, blob: Resource<Handle>) -> Said<Option<String>> {
        Ok(self.blob(&blob)?.identity())
    }

    fn drop(&mut self, blob: Resource<Handle>) -> Said<()> {
        let Handle(number) = self.handles.delete(blob)?;
        self.blobs.remove(&number);
        Ok(())
    }
}
