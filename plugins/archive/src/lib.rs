//! The fetcher `archive`: unpacks a tar or zip file, of the user's or of a server, into a tree.
//!
//! What an archive is, its content says: tar (plain, or in gzip, zstd, xz or bzip2) or zip. It is read once, and never held in memory:
//! each entry is judged and written as it comes, and after a mistake the host throws away what was written. Of a zip file the directory
//! is read first. How much there may be is the host's to say, and every path is judged there once more.
//!
//! | entry | becomes |
//! |---|---|
//! | directory, file | itself, with its mode, of which the host drops set-id and sticky bits |
//! | symbolic link | itself: data that may lead anywhere, and that nobody follows here |
//! | hard link | a second name of the same file |
//! | sparse file | a file with its holes filled |
//! | device, FIFO, name that leads out of the tree | an error that names it |
//! | a second entry of the same name | in a tar file the last one counts; in a zip file it is an error |

mod codecs;
mod damage;
mod format;
mod names;
mod output;
mod reader;
mod seen;
mod settings;
mod strip;
mod tar;
mod zip;

use std::rc::Rc;

use sti_plugin::{Address, Blob, Card, Fetcher, Problem, TreeWriter, http, register_fetcher};

use format::Format;
use reader::Reader;

/// Endings of names that are archives. What such a file really is, its content says.
const SUFFIXES: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".zip"];

/// Unpacks archives.
pub struct Archive;

register_fetcher!(Archive);

impl Fetcher for Archive {
    fn card() -> Card {
        let card = Card::new("archive", env!("CARGO_PKG_VERSION"))
            .summary("unpacks tar (plain, gzip, zstd, xz, bzip2) and zip files, local or from a server")
            .serves_scheme("archive");
        SUFFIXES.iter().fold(settings::declare(card), |card, suffix| card.serves_suffix(*suffix))
    }

    fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
        let strip = settings::strip(address)?;
        let blob = Rc::new(bytes_of(address)?);
        let format = Format::of(&mut Reader::new(&blob))?;
        address.record_fact("format", format.name());
        if let Some(identity) = blob.identity()
            && tree.reuse(&identity)?
        {
            return Ok(());
        }
        match format {
            Format::Tar(codec) => tar::unpack(&blob, codec, strip, tree),
            Format::Zip => zip::unpack(&blob, strip, tree),
        }
    }
}

/// Opens the user's file, or downloads what the address names.
fn bytes_of(address: &Address) -> Result<Blob, Problem> {
    let text = address.text();
    match address.file() {
        Some(file) => Ok(file),
        None if is_web(&text) => http::download(&text),
        None if address.directory().is_some() => {
            Err(Problem::not_found("source-not-found", format!("`{text}` is a directory, and no file that could be an archive"))
                .hint("give the directory without `archive:` to build what lies in it"))
        }
        None => Err(Problem::not_found("source-not-found", format!("there is no file `{text}`"))
            .hint("check the path of the archive, or give an address that begins with `https://`")),
    }
}

fn is_web(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}
