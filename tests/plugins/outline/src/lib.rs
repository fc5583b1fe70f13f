//! A fetcher of a third party for a scheme of its own: `outline:FILE`, or `outline:https://…`, is one text in which a line `=== PATH`
//! begins a file, and everything up to the next such line is in it.

use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, http, log, register_fetcher};

/// The largest outline that is read.
const LIMIT: u64 = 8 << 20;

/// What begins a file.
const MARK: &str = "=== ";

/// Writes the files of an outline.
struct Outline;

register_fetcher!(Outline);

impl Fetcher for Outline {
    fn card() -> Card {
        Card::new("outline", env!("CARGO_PKG_VERSION"))
            .summary("makes a tree of one text in which `=== PATH` begins a file")
            .serves_scheme("outline")
            .setting("mode", "the permission bits of all files, in octal", Some("644"))
    }

    fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
        let mode = mode(address)?;
        let text = text(address)?;
        let files = files(&text)?;
        for (path, content) in &files {
            tree.put_file(path, mode, content.as_bytes())?;
        }
        log::info(format!("{} files", files.len()));
        address.record_fact("files", &files.len().to_string());
        Ok(())
    }
}

fn mode(address: &Address) -> Result<u32, Problem> {
    let written = address.setting("mode").unwrap_or_default();
    u32::from_str_radix(&written, 8)
        .map_err(|_| Problem::invalid("invalid-setting", format!("the mode `{written}` is not octal")))
}

/// The text of a file of the user's, or of a server.
fn text(address: &Address) -> Result<String, Problem> {
    let bytes = match address.file() {
        Some(file) => file.read_all(LIMIT)?,
        None if address.text().contains("://") => http::download(&address.text())?.read_all(LIMIT)?,
        None => return Err(Problem::not_found("source-not-found", format!("there is no outline `{}`", address.text()))),
    };
    String::from_utf8(bytes).map_err(|_| Problem::invalid("not-an-outline", "it is no text"))
}

fn files(text: &str) -> Result<Vec<(&str, String)>, Problem> {
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(MARK), files.last_mut()) {
            (Some(path), _) => files.push((path, String::new())),
            (None, Some((_, content))) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => {
                let problem =
                    Problem::invalid("not-an-outline", format!("it does not begin with `{MARK}PATH`, but with `{line}`"));
                return Err(problem.hint("write the path of the first file above its text"));
            }
        }
    }
    Ok(files)
}
