//! Attacks and accidents through the whole program: what archives, repositories and servers of strangers try, how each ends, and a decoy
//! that shows that nothing left its place. Each class is tried here once; the tests of the plugins and of the network try more of each.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

#[path = "attacks/archives.rs"]
mod archives;
#[path = "attacks/codecs.rs"]
mod codecs;
#[path = "attacks/memory.rs"]
mod memory;
#[path = "../../plugins/git/tests/fetches/support/packs.rs"]
#[allow(dead_code, reason = "the plugin's own tests need more of it")]
mod packs;
#[path = "attacks/repositories.rs"]
mod repositories;
#[path = "attacks/server.rs"]
mod server;
#[path = "attacks/servers.rs"]
mod servers;
#[path = "../../plugins/archive/tests/archive/make/tar.rs"]
#[allow(dead_code, reason = "the plugin's own tests need more of it")]
mod tar;
#[path = "attacks/yard.rs"]
mod yard;
#[path = "../../plugins/archive/tests/archive/make/zip.rs"]
#[allow(dead_code, reason = "the plugin's own tests need more of it")]
mod zip;
