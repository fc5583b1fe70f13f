//! Compiles components, and loads what was compiled earlier. The one module of this workspace with unsafe code.

use wasmtime::{Engine, component::Component};

use crate::store::Trusted;

/// Compiles a component that passed preflight. Takes tens of milliseconds: call it beside the executor.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    Component::from_binary(engine, bytes)
}

/// Loads compiled code. Fails where it was made by another engine, which means: compile again.
#[expect(unsafe_code, reason = "wasmtime cannot tell compiled code from hostile bytes; the argument stands below")]
pub(crate) fn load(engine: &Engine, trusted: &Trusted) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` demands bytes that `Component::serialize` made, unmodified. A `Trusted` is made by `Store::read` alone,
    // which reads a file
    // - that lies in a directory which on opening was ours (our user id) and closed to all others (mode 0700), so that nobody else,
    //   the superuser excepted, can have put, replaced or renamed anything in it;
    // - that was opened relative to that open directory, following no link, and is itself a regular file of ours that nobody else
    //   can write; and
    // - that got its name by a rename after it was written and synced in full by `Store::write`, which writes what `serialize`
    //   gave and nothing else. The name holds component digest, compatibility hash and schema.
    // The bytes are a private copy: what happens to the file later changes nothing. wasmtime checks its own version, target and
    // settings in them before it uses the rest. Who can write here as our user can as well replace this program.
    unsafe { Component::deserialize(engine, trusted.bytes()) }
}
