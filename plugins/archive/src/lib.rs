//! The fetcher `archive`: unpacks a tar or zip file, of the user's or of a server, into a tree.
//!
//! What an archive is, its content says: tar (plain, or in gzip, zstd, xz or bzip2) or zip. It is read twice, and never held in memory:
//! the first pass looks at all names, checks all that can be checked and decides how many leading parts of names are left out; the
//! second one writes.
//!
//! | entry | becomes |
//! |---|---|
//! | directory, file | itself, with its nine permission bits; set-id and sticky bits are dropped with a warning |
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
mod settings;
mod strip;
mod survey;
mod tar;
mod zip;

use std::rc::Rc;

use sti_plugin::{Address, Blob, Card, Fetcher, Problem, TreeWriter, http, register_fetcher};

use format::Format;
use reader::Reader;
use settings::Settings;

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
        SUFFIXES.iter().fold(Settings::declare(card), |card, suffix| card.serves_suffix(*suffix))
    }

    fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
        let settings = Settings::read(address)?;
        let blob = Rc::new(bytes_of(address)?);
        let format = Format::of(&mut Reader::new(&blob))?;
        address.record_fact("format", format.name());
        if let Some(identity) = blob.identity()
            && tree.reuse(&identity)?
        {
            return Ok(());
        }
        let _entries = match format {
            Format::Tar(codec) => tar::unpack(&blob, codec, settings, tree)?,
            Format::Zip => zip::unpack(&blob, settings, tree)?,
        };
        Ok(())
    }
}

/// Opens the user's file, or downloads what the address names.
fn bytes_of(address: &Address) -> Result<Blob, Problem> {
    let text = address.text();
    match address.file() {
        Some(file) => Ok(file),
        None if is_web(&text) => http::download(&text),
        None => Err(Problem::not_found("source-not-found", format!("`{text}` is no file that could be an archive"))
            .hint("give the path of an archive, or an address that begins with `https://`")),
    }
}

fn is_web(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}
